"""The three ASGI types, so that nothing else has to spell them out, and what our own web server offers beyond them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, Final, Protocol

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Whole = Callable[[bytes, bytes], bool]
"""(status line and headers, body) -> whether this response was sent at once; otherwise it is to be sent over `Send`."""


class Cycle(Protocol):
    """One request on a connection whose head was served before. Its answer goes out by `whole` or by `send`."""

    def whole(self, head: bytes, body: bytes) -> bool:
        """A `Whole`."""

    def receive(self) -> Awaitable[Message]:
        """A `Receive`."""

    def send(self, message: Message) -> Awaitable[None]:
        """A `Send`."""

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Go on with this request in a task, as an ASGI app would."""


Again = Callable[[Cycle, bytes], None]
"""Serves a further request, given its whole body: its head is the same as before, byte for byte, but for the number in
Content-Length. Must not raise."""

Keep = Callable[[Again], None]

WHOLE: Final = "slipway.whole_response"
"""The name under which our own web server offers a `Whole` among a scope's extensions; others offer none."""
KEEP: Final = "slipway.keep_head"
"""The same for a `Keep`: from then on what it was given serves the connection's further requests with this head."""
