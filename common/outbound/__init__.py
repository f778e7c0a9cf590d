"""The one guarded door for what the site fetches on somebody's word: documents, metadata, keys, packages' pages.

Nothing else in the site opens an HTTP connection to an address that a stranger could have chosen. The runner's remote
servers have a door of their own (hosting/runner/remote), by the same rules about addresses (common/addresses.py).

    answer = await Door().fetch("https://example.org/client.json", max_bytes=16_384)
"""

from __future__ import annotations

from common.outbound.door import Answer, Door, site_door
from common.outbound.errors import (
    AnswerInvalid,
    AnswerTooLarge,
    HostUnreachable,
    OutboundError,
    TooManyRedirects,
    UrlRefused,
)

__all__ = [
    "Answer",
    "AnswerInvalid",
    "AnswerTooLarge",
    "Door",
    "HostUnreachable",
    "OutboundError",
    "TooManyRedirects",
    "UrlRefused",
    "site_door",
]
