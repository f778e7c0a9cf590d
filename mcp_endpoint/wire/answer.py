"""Writing one HTTP answer over ASGI: a JSON body, nothing, or an event stream."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Protocol

from mcp_endpoint.records.metrics import UNREAD
from mcp_endpoint.wire import sse
from mcp_endpoint.wire.asgi import Receive, Send, Whole

if TYPE_CHECKING:
    from hosting.routing import Route
    from mcp_endpoint.admission.auth import Principal
    from mcp_endpoint.wire.inbound import Inbound

Header = tuple[bytes, bytes]

_JSON: Final[Header] = (b"content-type", b"application/json")
_NO_STORE: Final[Header] = (b"cache-control", b"no-store")
# What a hosted server says is never a page of this site, whatever a browser would see in it.
_NO_SNIFFING: Final[Header] = (b"x-content-type-options", b"nosniff")
_OK: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\n"
    b"x-content-type-options: nosniff\r\ncontent-length: %d\r\n"
)


class Exchanging(Protocol):
    """What follows an exchange."""

    @property
    def exchange(self) -> str: ...


class Answer:
    """The HTTP side of one request: where its answer goes, and what metrics and logs say of it.

    `status` is 0 until the answer has begun. `key` is the deployment's, `source` the Source of the answer's events.
    For its record: `began` on time.perf_counter, what was asked by whom in how many bytes, `body` the response in it,
    `parts` those of a batch by id, `size` in bytes, whether it waited for a start, how it ended if `body` can't tell.
    """

    __slots__ = (
        "_extra", "_send", "_whole", "began", "body", "bytes_in", "ended", "inbound", "key", "parts", "principal",
        "receive", "request_id", "route", "series", "size", "source", "status", "visitor", "was_cold",
    )  # fmt: skip

    def __init__(self, receive: Receive, send: Send, whole: Whole | None = None) -> None:
        self.receive = receive
        self._send = send
        self._whole = whole
        self._extra: list[Header] = []
        self.status = 0
        self.series = UNREAD
        self.key = ("", "")
        self.request_id = b""
        self.source: Exchanging | None = None
        self.began = time.perf_counter()
        self.inbound: Inbound | None = None
        self.bytes_in = 0
        self.principal: Principal | None = None  # this and `route` once the one may use the other
        self.route: Route | None = None
        self.body: bytes | None = None
        self.parts: dict[bytes, bytes] | None = None
        self.size = 0
        self.was_cold = False
        self.ended = ""
        self.visitor = ""  # the address of who has no account

    def add_header(self, name: bytes, value: bytes) -> None:
        """For whatever answer follows."""
        self._extra.append((name, value))

    def add_headers(self, headers: Iterable[Header]) -> None:
        self._extra += headers

    def json_now(self, body: bytes) -> bool:
        """A 200 without waiting; False, and nothing is sent, where that can't be."""
        size = len(body)
        if self._whole is None or self._extra or not self._whole(_OK % size, body):
            return False
        self.status = 200
        self.body = body
        self.size = size
        return True

    async def json(self, status: int, body: bytes, headers: Iterable[Header] = ()) -> None:
        if status == 200 and not headers and self.json_now(body):
            return
        self.status = status
        self.body = body
        self.size = len(body)
        length = (b"content-length", b"%d" % len(body))
        send = self._send
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [_JSON, _NO_STORE, _NO_SNIFFING, length, *self._extra, *headers],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def empty(self, status: int, headers: Iterable[Header] = ()) -> None:
        self.status = status
        fields = [(b"content-length", b"0"), _NO_STORE, *self._extra, *headers]
        await self._send({"type": "http.response.start", "status": status, "headers": fields})
        await self._send({"type": "http.response.body", "body": b""})

    async def start_stream(self) -> None:
        self.status = 200
        await self._send({"type": "http.response.start", "status": 200, "headers": [*sse.HEADERS, *self._extra]})

    async def write(self, chunk: bytes) -> None:
        """Waits while the client reads too slowly."""
        self.size += len(chunk)
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def finish(self, chunk: bytes = b"") -> None:
        self.size += len(chunk)
        await self._send({"type": "http.response.body", "body": chunk})
