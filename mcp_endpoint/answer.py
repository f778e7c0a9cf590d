"""Writing one HTTP answer over ASGI: a JSON body, nothing, or an event stream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mcp_endpoint import sse
from mcp_endpoint.asgi import Receive, Send

Header = tuple[bytes, bytes]

_JSON: Final[Header] = (b"content-type", b"application/json")
_NO_STORE: Final[Header] = (b"cache-control", b"no-store")


class Answer:
    """The HTTP side of one request: where its answer goes."""

    __slots__ = ("_extra", "_send", "is_started", "receive")

    def __init__(self, receive: Receive, send: Send) -> None:
        self.receive = receive
        self._send = send
        self._extra: list[Header] = []
        self.is_started = False

    def add_header(self, name: bytes, value: bytes) -> None:
        """For whatever answer follows."""
        self._extra.append((name, value))

    def add_headers(self, headers: Iterable[Header]) -> None:
        self._extra += headers

    async def json(self, status: int, body: bytes, headers: Iterable[Header] = ()) -> None:
        self.is_started = True
        length = (b"content-length", b"%d" % len(body))
        send = self._send
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [_JSON, _NO_STORE, length, *self._extra, *headers],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def empty(self, status: int, headers: Iterable[Header] = ()) -> None:
        self.is_started = True
        fields = [(b"content-length", b"0"), _NO_STORE, *self._extra, *headers]
        await self._send({"type": "http.response.start", "status": status, "headers": fields})
        await self._send({"type": "http.response.body", "body": b""})

    async def start_stream(self) -> None:
        self.is_started = True
        await self._send({"type": "http.response.start", "status": 200, "headers": [*sse.HEADERS, *self._extra]})

    async def write(self, chunk: bytes) -> None:
        """Waits while the client reads too slowly."""
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def finish(self, chunk: bytes = b"") -> None:
        await self._send({"type": "http.response.body", "body": chunk})
