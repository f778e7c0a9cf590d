"""What a server says with a 401 or 403, in WWW-Authenticate (RFC 9110, 11.6.1; RFC 6750, 3; RFC 9728, 5.1). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MAX_FIELD: Final = 8192
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
# A scheme, or a parameter. In a list of challenges both stand behind commas, and only a parameter has a "=".
_PART = re.compile(
    rf"""[\s,]*(?:
        (?P<name>{_TOKEN})\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]+))
      | (?P<scheme>{_TOKEN})(?=[ \t]|,|$)
    )""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Challenge:
    """Of the scheme Bearer. Empty texts and `scopes` None: it didn't say."""

    error: str = ""
    scopes: tuple[str, ...] | None = None
    metadata_url: str = ""

    @property
    def wants_more(self) -> bool:
        """The token is good, and not for this (RFC 6750, 3.1)."""
        return self.error == "insufficient_scope"


def challenge_of(field: str) -> Challenge | None:
    """The first Bearer challenge of a field; None where there is none. What comes twice counts once, the first time."""
    said: dict[str, str] | None = None
    position = 0
    while found := _PART.match(field[:MAX_FIELD], position):
        position = found.end()
        if found["scheme"]:
            if said is not None:
                break
            said = {} if found["scheme"].lower() == "bearer" else None
        elif said is not None:
            quoted = found["quoted"]
            value = found["plain"] if quoted is None else _ESCAPE.sub(r"\1", quoted)
            said.setdefault(found["name"].lower(), value)
    if said is None:
        return None
    scope = said.get("scope")
    return Challenge(
        error=said.get("error", ""),
        scopes=tuple(dict.fromkeys(scope.split())) if scope is not None else None,
        metadata_url=said.get("resource_metadata", ""),
    )
