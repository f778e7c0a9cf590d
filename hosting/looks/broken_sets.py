"""Whether a server that didn't start looks as if its packages don't fit together any more. Pure.

Many packages ask for what they need without an upper bound; a later release of that breaks them. It shows as an
exception of code, not as a sentence: something that is imported, called or exported isn't there.
"""

from __future__ import annotations

import re

_BROKEN = re.compile(
    r"\b(?:Import|ModuleNotFound|Attribute|Type|Name|Syntax|Reference)Error\b|cannot import name"
    r"|Traceback \(most recent call last\)|Cannot find (?:module|package)|is not a (?:function|constructor)"
    r"|does not provide an export|ERR_(?:MODULE_NOT_FOUND|PACKAGE_PATH_NOT_EXPORTED|REQUIRE_ESM|UNSUPPORTED_DIR_IMPORT)"
    r"|^\s+at \S.*:\d+:\d+\)?$",
    re.MULTILINE,
)
# An exception, too, but of the world outside.
_OUTSIDE = re.compile(
    r"ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|getaddrinfo|fetch failed|Name or service not known"
    r"|Temporary failure in name resolution|Connection ?(?:refused|Error)|EADDRINUSE|Address already in use"
    r"|No space left|MemoryError|heap out of memory"
)


def is_broken_set(printed: str) -> bool:
    return bool(_BROKEN.search(printed)) and not _OUTSIDE.search(printed)
