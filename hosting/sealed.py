"""Secret settings at rest, under the site's key for them (common.sealing).

The deployment's id is associated data, so a value that was copied to another deployment's row does not open there.
Values come out in one place only: when a runner is given what to start.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from common import sealing
from common.errors import Conflict
from common.sealing import BrokenSealError

_PURPOSE: Final = b"slipway hosting deployment settings 1"


def seal(deployment_id: UUID, values: Mapping[str, str]) -> bytes:
    """b"" for no values."""
    if not values:
        return b""
    return sealing.seal(_PURPOSE, json.dumps(dict(values), separators=(",", ":")).encode(), _bound_to(deployment_id))


def unseal(deployment_id: UUID, sealed: bytes | memoryview) -> dict[str, str]:
    """Raises Conflict when it does not open: the sealing key is another one now, or the row was tampered with."""
    if not sealed:
        return {}
    try:
        opened: dict[str, str] = json.loads(sealing.unseal(_PURPOSE, sealed, _bound_to(deployment_id)))
    except BrokenSealError:
        raise Conflict(
            "settings_sealed",
            "The secret settings of this server can't be opened any more: the site's sealing key has changed. "
            "Its owner sets them again on its page, under Settings.",
        ) from None
    return opened


def _bound_to(deployment_id: UUID) -> bytes:
    return f"deployment:{deployment_id}".encode()
