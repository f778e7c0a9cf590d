"""Our web server's HTTP protocol: uvicorn's, bounded, and made cheaper where a client sends one call after the other.

- A response is one write (`joined`), and the MCP endpoint may hand over a whole one, which spares it the checks that an
  unknown app's headers need.
- A head that was served before on a connection is recognised by its bytes (`heads`); then neither parser nor ASGI nor
  a task comes between the socket and the endpoint, unless the endpoint asks for them (`cycle`).
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from config.launch.bounded import BoundedProtocol
from config.launch.cycle import KnownCycle
from config.launch.heads import Head, head_of
from config.launch.joined import JoinedWrites
from mcp_endpoint.wire.asgi import KEEP, WHOLE, Again

_MCP_PATH = "/mcp/"
_HEADS = 4  # of one connection that are recognised
_TRIALS = 8  # heads that are kept in the hope that one comes again
_HELD_BYTES = 64 * 1024  # of a request that are waited for without the parser


class WholeResponse:
    """A response in one step, where ASGI has two. Implements mcp_endpoint.wire.asgi.Whole."""

    __slots__ = ("_cycle", "_protocol")

    def __init__(self, protocol: HttpProtocol, cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._cycle = cycle

    def __call__(self, head: bytes, body: bytes) -> bool:
        """`head` is a status line and headers that need no check, each ended by a line break. Not for HEAD."""
        cycle = self._cycle
        if cycle.response_started or cycle.disconnected or cycle.flow.write_paused or not cycle.keep_alive:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        self._protocol.write_whole(head, body)
        return True


class KeepHead:
    """Implements mcp_endpoint.wire.asgi.Keep for the request that `data` begins with."""

    __slots__ = ("_data", "_heads")

    def __init__(self, heads: list[tuple[Head, Again]], data: bytes) -> None:
        self._heads = heads
        self._data = data

    def __call__(self, again: Again) -> None:
        head = head_of(self._data)
        if head is not None:
            self._heads.insert(0, (head, again))
            del self._heads[_HEADS:]


class HttpProtocol(BoundedProtocol):
    """For uvicorn's `http` setting."""

    kept_from = 2  # the request of a connection whose head is the first to be kept: the first may be its only one

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._plain = transport
        self._heads: list[tuple[Head, Again]] = []
        self._trials = _TRIALS
        self._half: tuple[Again, int, bytearray] | None = None  # a known head whose body (its length) is still coming
        self._fed = b""  # what the parser is given, where a request may begin with it
        self._default_headers: list[tuple[bytes, bytes]] = []
        self._default_lines = b""
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport, self.loop)))

    def data_received(self, data: bytes) -> None:
        if self._heads and self._is_between and self.cycle.response_complete:
            for head, again in self._heads:
                bounds = head.fits(data)
                if bounds is None:
                    continue
                start, end = bounds
                if len(data) == end:
                    self._serve(again, data[start:])
                    return
                if len(data) < end <= _HELD_BYTES:
                    self._is_between = self._has_head = False
                    self._half = again, end - start, bytearray(data[start:])
                    self._heard()
                    return
                break
        if self._half is None:
            self._parse(data)
        else:
            self._go_on(*self._half, data)

    def _parse(self, data: bytes) -> None:
        self._fed = data if self._is_between else b""
        super().data_received(data)
        self._fed = b""

    def _go_on(self, again: Again, length: int, body: bytearray, data: bytes) -> None:
        """With a request whose head is known and whose body comes in pieces."""
        body += data
        if len(body) < length:
            self._heard()
            return
        self._half = None
        self._is_between = True
        self._serve(again, bytes(body[:length]))
        if len(body) > length:
            self._parse(bytes(body[length:]))

    def _serve(self, again: Again, body: bytes) -> None:
        self._trials = _TRIALS
        cycle = KnownCycle(self, body)
        self.cycle = cycle  # type: ignore[assignment]  # it has what the protocol asks of one
        again(cycle, body)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        scope: Any = cycle.scope
        if scope["path"].startswith(_MCP_PATH):
            extensions: dict[str, Any] = {WHOLE: WholeResponse(self, cycle)}
            # There are clients whose heads never come again.
            if self._fed and cycle.keep_alive and self._count >= self.kept_from and self._trials:
                self._trials -= 1
                extensions[KEEP] = KeepHead(self._heads, self._fed)
                self._fed = b""  # only the first request begins where it begins
            scope["extensions"] = extensions
        super()._start_asgi_task(cycle, app)

    def start(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Run `app` for a cycle of `full_cycle`."""
        super()._start_asgi_task(cycle, app)

    def full_cycle(self, known: KnownCycle, scope: Any, event: asyncio.Event) -> RequestResponseCycle:
        """uvicorn's cycle for the request of `known`, whose place at the connection it takes."""
        cycle = RequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=event,
            expect_100_continue=False,
            keep_alive=known.keep_alive,
            on_response=self.on_response_complete,
        )
        if cast("Any", self.cycle) is known:
            self.cycle = cycle
        return cycle

    def write_whole(self, head: bytes, body: bytes) -> None:
        """A response that needs no check and leaves the connection open."""
        default_headers = self.server_state.default_headers
        if default_headers is not self._default_headers:
            self._default_headers = default_headers
            self._default_lines = b"".join([b"%b: %b\r\n" % header for header in default_headers])
        self._plain.write(b"%b%b\r\n%b" % (head, self._default_lines, body))
        self.on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        self.transport = self._plain
        super().handle_websocket_upgrade()
