"""The three ASGI types, so that nothing else has to spell them out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Whole = Callable[[bytes, bytes], bool]
"""(status line and headers, body) -> whether this response was sent at once; otherwise it is to be sent over `Send`."""

WHOLE = "slipway.whole_response"
"""The name under which our own web server offers a `Whole` among a scope's extensions; others offer none."""
