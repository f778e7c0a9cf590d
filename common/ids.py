"""Identifiers: ones that sort by time, and ones that can't be guessed."""

from __future__ import annotations

import secrets
import time
import uuid


def new_uuid() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562, 5.7): milliseconds first, so rows made together lie together in an index."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | secrets.randbits(12) << 64
    return uuid.UUID(int=value | 0b10 << 62 | secrets.randbits(62))


def new_id() -> str:
    """The same as 32 hexadecimal digits, for ids that travel as text."""
    return new_uuid().hex


def random_token(bits: int = 128) -> str:
    """An unguessable value that may stand in a URL. Its length is not secret, its digits are."""
    return secrets.token_urlsafe((bits + 7) // 8)
