"""Words of a page that stand in no marks."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import django
from django.utils import dates

from scripts.check_messages import pairs
from tests.languages.marked import CODE, outside
from tests.languages.reading import read

_GAP = "\x00"  # between two texts
_WORD = re.compile(r"[A-Za-z]{2,}")
_AROUND = ' \t\n.,:;·…“”"()#/'  # what a text of others may stand in
_SURE = 20  # characters of a text that stands within another one by no accident
# What the walks' rows hold, and what belongs to no language.
_DATA = re.compile(
    r"pypi:mcp-server-time|npm:demo|slipway_api_\S+|https?://\S*|What it does|Works\."
    r"|\b(?:alice|bob\d+|acme\d*|time\d+|work\d*|server\d+|weather|demo|Forge|c1)\b"
    r"|\borg\.example[\w./-]*|\b(?:[\w.]+\.)?example\.org\b|\b[A-Z]+(?:_[A-Z]+)+\b|\b[a-z]+:[a-z_:]+\b"
    r"|\b[A-Z2-7]{32}\b|(?<!\w)(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{20,}|\b(?=[a-z]*\d)[0-9a-f]{6,}\b|\b[a-z]+(?:_[a-z]+)+\b"
    r"|[\w.]+/[\w./{}-]+|[\w-]+\.(?:json|md|py|toml|txt|zip)\b|\S+@\S+"
)
_NAMES = frozenset(
    [
        *("Slipway", "MCP", "API", "JSON", "URL", "OAuth", "OpenAPI", "PyPI", "npm", "NuGet", "Cargo", "GitHub"),
        *("HTTP", "UTC", "KB", "MB", "stdio", "SSE", "Streamable", "curl", "Python"),
        *("Claude", "Code", "Codex", "VS", "Cursor", "TypeScript", "Google", "Slack", "Notion", "README"),
    ]
)
# Sentences of modules that know nothing of Django, and of libraries that have no catalogue.
_STAYS_ENGLISH = frozenset(
    [
        "time",  # an example of a name
        "Missing parameter",  # oauthlib, of a request that a program made
    ]
)


def unmarked(body: str, data: frozenset[str] = frozenset()) -> list[str]:
    """Words of ours that are in no marks. A sentence with elements in it has one mark before the first of them and the
    other behind the last. A text that `data` has is not ours."""
    page = read(body, CODE)
    long = [text for text in data if len(text) >= _SURE]
    left = [*outside(_GAP.join(page.texts)).split(_GAP), *(outside(text) for text in page.spoken)]
    for known in sorted(long, key=len, reverse=True):
        left = [text.replace(known, " ") for text in left]
    ours = (_DATA.sub(" ", text) for text in left if text.strip(_AROUND) not in data)
    kept = ([word for word in _WORD.findall(text) if word not in _NAMES | _of_django()] for text in ours)
    return [found for words in kept if (found := " ".join(words)) and found not in _STAYS_ENGLISH | data]


@cache
def _of_django() -> frozenset[str]:
    """Months, days and bytes as Django itself says them in the language whose code the marks have."""
    compiled = Path(django.__file__).parent / "conf/locale" / CODE / "LC_MESSAGES/django.mo"
    english = {
        str(name)
        for named in (dates.MONTHS, dates.MONTHS_3, dates.WEEKDAYS, dates.WEEKDAYS_ABBR)
        for name in named.values()
    }
    # A message that has a context stands behind it and an octet 4.
    said = (text for message, text in pairs(compiled.read_bytes()) if message.rpartition("\x04")[2] in english)
    return frozenset(("bitoko", "bitokoj", *(word for text in said for word in (text, text.capitalize()))))
