"""Names and versions of servers: what a schema's pattern can't say. Pure."""

from __future__ import annotations

import re

_NAMESPACE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])")
_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])")
_COMPARED = ("^", "~", ">", "<", "=")
_DOTTED = re.compile(r"v?[0-9A-Za-z*]+(?:\.[0-9A-Za-z*]+)+")
_ANY = frozenset("xX*")


def is_name(name: str) -> bool:
    """`namespace/name`: one slash, each side two characters or more, beginning and ending with a letter or digit."""
    namespace, slash, part = name.partition("/")
    return bool(slash and _NAMESPACE.fullmatch(namespace) and _PART.fullmatch(part))


def folded(name: str) -> str:
    return name.lower()


def looks_like_range(version: str) -> bool:
    """Several versions instead of one: `^1.2`, `>=1`, `1.x`, `1.0 - 2.0`, `1 || 2`."""
    text = version.strip()
    if text.startswith(_COMPARED) or " - " in text or "||" in text or text == "*":
        return True
    return bool(_DOTTED.fullmatch(text)) and any(part in _ANY for part in text.removeprefix("v").split("."))
