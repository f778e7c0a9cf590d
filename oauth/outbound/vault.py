"""Secrets of accounts elsewhere at rest, under the site's key for them (common.sealing).

What a token is bound to is associated data: whose it is, where it goes and who issued it. A row in which one of these
was changed, or that was copied from another one, does not open.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from common import sealing
from common.errors import Conflict
from common.sealing import BrokenSealError

_PURPOSE: Final = b"slipway accounts elsewhere 1"


def seal(values: Mapping[str, str], *, bound_to: Sequence[str]) -> bytes:
    plain = json.dumps(dict(values), separators=(",", ":")).encode()
    return sealing.seal(_PURPOSE, plain, _data(bound_to))


def unseal(sealed: bytes | memoryview, *, bound_to: Sequence[str]) -> dict[str, str]:
    """Raises Conflict (connection_sealed): the sealing key is another one now, or the row was tampered with."""
    try:
        opened: dict[str, str] = json.loads(sealing.unseal(_PURPOSE, sealed, _data(bound_to)))
    except BrokenSealError:
        raise Conflict(
            "connection_sealed",
            "The connected account can't be used any more: the site's sealing key has changed. "
            "Its owner signs in again on the server's page.",
        ) from None
    return opened


def _data(bound_to: Sequence[str]) -> bytes:
    return json.dumps(list(bound_to)).encode()
