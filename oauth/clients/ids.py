"""Ids of clients that are set up here."""

from __future__ import annotations

import secrets

from oauth2_provider.generators import BaseHashGenerator


class ClientIds(BaseHashGenerator):  # type: ignore[misc]  # the toolkit is not typed
    """160 bits in hex: the toolkit's own may begin with a hyphen, which no shell command takes for an argument."""

    def hash(self) -> str:
        return secrets.token_hex(20)
