"""Where the next page of a list begins, and with which filters. Pure.

Ours are base64url without padding, so that a client may append them to an address as they are, and they carry the
list's filters: VS Code sends `search` with the first page only. `name:version` and a bare name, which the official
registry uses, are understood too. A cursor that says nothing begins at the beginning; none is an error.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

MOST = 4096
_MARK = 1  # the layout of what is inside


@dataclass(frozen=True)
class Cursor:
    """After the row of `name` and this `id`. Without an id: after that `version` of it, or after all of the name."""

    name: str = ""
    id: int | None = None
    version: str | None = None
    filters: Mapping[str, str] = field(default_factory=dict)


def encode(name: str, id_: int, filters: Mapping[str, str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([_MARK, name, id_, dict(filters)])).rstrip(b"=").decode()


def decode(text: str) -> Cursor:
    if len(text) > MOST:
        return Cursor()
    found = _ours(text)
    if found is not None:
        return found
    name, colon, version = text.partition(":")
    return Cursor(name, None, version if colon else None)


def _ours(text: str) -> Cursor | None:
    try:
        inner: Any = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        mark, name, id_, filters = inner
    except (binascii.Error, ValueError, TypeError, msgspec.DecodeError):
        return None
    is_ours = mark == _MARK and isinstance(name, str) and isinstance(id_, int) and isinstance(filters, dict)
    if not is_ours or not 0 <= id_ < 2**63 or "\0" in name:
        return None
    return Cursor(name, id_, None, {key: value for key, value in filters.items() if isinstance(value, str)})
