"""What of a stranger's words people can judge by looking at them. Pure."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit


def is_plain(text: str) -> bool:
    """Whether all of it can be seen: no control, format or private characters, line breaks, odd spaces."""
    return all(letter == " " or unicodedata.category(letter)[0] not in "CZ" for letter in text)


def is_web_address(url: str, *, only_https: bool = True) -> bool:
    """Whether a browser or a client could go there, and nobody is named in it."""
    try:
        parts = urlsplit(url)
        known = ("https",) if only_https else ("https", "http")
        return parts.scheme in known and bool(parts.hostname) and not parts.username and (parts.port or 1) > 0
    except ValueError:
        return False
