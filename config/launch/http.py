"""uvicorn's HTTP protocol with one write a response.

uvicorn writes a response's head when the app starts it and the body when the app sends it: two system calls and two
packets, of which the first wakes a client that can't do anything with it yet. Here the head waits for the body, which
most apps send at once; it waits no longer than the current turn of the event loop, so that a stream begins in time.
The MCP endpoint may hand over a whole response, which spares it the checks that an unknown app's headers need.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mcp_endpoint.asgi import WHOLE

_HEAD = b"HTTP/1.1 "
_MCP_PATH = "/mcp/"


class JoinedWrites:
    """A transport that holds a response's head back until its body follows. All else goes straight through."""

    __slots__ = ("_held", "_inner", "_loop", "_write", "is_closing")

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._inner = inner
        self._loop = loop
        self._write = inner.write
        self._held = b""
        self.is_closing = inner.is_closing

    def write(self, data: bytes) -> None:
        held = self._held
        if held:
            self._held = b""
            self._write(held + data)
        elif data.startswith(_HEAD):
            self._held = data
            self._loop.call_soon(self._flush)
        else:
            self._write(data)

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held:
            self._write(held)

    def close(self) -> None:
        self._flush()
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class WholeResponse:
    """A response in one step, where ASGI has two. Implements mcp_endpoint.asgi.Whole."""

    __slots__ = ("_cycle", "_transport")

    def __init__(self, cycle: RequestResponseCycle, transport: asyncio.Transport) -> None:
        self._cycle = cycle
        self._transport = transport

    def __call__(self, head: bytes, body: bytes) -> bool:
        """`head` is a status line and headers that need no check, each ended by a line break. Not for HEAD."""
        cycle = self._cycle
        if cycle.response_started or cycle.disconnected or cycle.flow.write_paused or not cycle.keep_alive:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        for name, value in cycle.default_headers:
            head += b"%b: %b\r\n" % (name, value)
        self._transport.write(b"%b\r\n%b" % (head, body))
        cycle.message_event.set()
        cycle.on_response()
        return True


class HttpProtocol(HttpToolsProtocol):
    """For uvicorn's `http` setting."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if cycle.scope["path"].startswith(_MCP_PATH):
            extensions: dict[str, Any] = {WHOLE: WholeResponse(cycle, self._plain)}
            cycle.scope["extensions"] = extensions
        super()._start_asgi_task(cycle, app)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._plain = transport
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport, self.loop)))

    def handle_websocket_upgrade(self) -> None:
        self.transport = self._plain
        super().handle_websocket_upgrade()
