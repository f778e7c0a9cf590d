"""What a client carries for us, sealed under keys derived from the site's sealing key (common.sealing). Pure.

Each purpose has its own key, and what a value is bound to goes in as associated data, so a value presented by somebody
else, for something else or altered simply does not open.
"""

from __future__ import annotations

import base64
import binascii

from common.sealing import Box, BrokenSealError, key_for

__all__ = ["BrokenSealError", "Sealer"]


class Sealer:
    """Seals and opens for one purpose. Every web process has the same key."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._box = Box(key_for(key, b"slipway mcp_endpoint " + purpose.encode()))

    def seal(self, plain: bytes, bound_to: bytes) -> str:
        """URL-safe base64 without padding, hence visible ASCII."""
        return base64.urlsafe_b64encode(self._box.seal(plain, bound_to)).rstrip(b"=").decode("ascii")

    def open(self, token: str, bound_to: bytes) -> bytes:
        """Raises BrokenSealError."""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise BrokenSealError from None
        return self._box.unseal(sealed, bound_to)
