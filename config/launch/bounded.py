"""uvicorn's HTTP protocol with bounds on what a client may make it hold, and for how long.

httptools keeps a header until it is whole, however long it grows, and uvicorn waits for the rest of a request for ever.
Here a head ends at `HEADER_BYTES` with 431, and a request at `request_seconds` without a further byte with 408. Both
end the connection, since what follows on it can't be told apart. Idle connections are closed as uvicorn does it, but
with one timer a connection instead of one a response.
"""

from __future__ import annotations

import asyncio

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mcp_endpoint.admission.limits import HEADER_BYTES

_REFUSALS = {
    408: (b"Request Timeout", b"The rest of the request did not come in time.\n"),
    431: (b"Request Header Fields Too Large", b"The request has too many or too large headers.\n"),
}


class BoundedProtocol(HttpToolsProtocol):
    request_seconds = 30.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._heard_at = self._answered_at = 0.0
        self._count = 0  # messages that have begun
        self._is_between = True  # the parser stands between two messages
        self._has_head = self._had_body = self._is_refused = False
        self._head_bytes = self._held_bytes = 0
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        began, self._had_body = self._count + self._is_between, False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")
            return
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self._stop_timer()
                self.handle_websocket_upgrade()
                return
            self._unsupported_upgrade_warning()
        if self._is_between or self._is_refused:
            return
        if not self._had_body and self._count == began:
            # The parser may hold all of it: a head, or the trailers of a chunked body.
            self._held_bytes += len(data)
            if self._held_bytes > HEADER_BYTES:
                self._refuse(431)
                return
        else:
            self._held_bytes = 0
        self._heard()

    # --- the parser's words

    def on_message_begin(self) -> None:
        self._is_between = self._has_head = False
        self._count += 1
        self._head_bytes = self._held_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._has_head:  # trailers are no headers
            self._head_bytes += len(name) + len(value)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._head_bytes + len(self.url) > HEADER_BYTES:
            self._refuse(431)
        if not self._is_refused:
            self._has_head = True
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._had_body = True
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_between = True
        if not self._is_refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """As uvicorn has it, but for the timer, which is not set anew for each response."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._answered_at = self.loop.time()
        if self._timer is None:
            self._look_at(self._answered_at + self.timeout_keep_alive)

    # --- time

    def _heard(self) -> None:
        """More of a request came, and more is to come."""
        self._heard_at = self.loop.time()
        self._look_at(self._heard_at + self.request_seconds)

    def _look_at(self, moment: float) -> None:
        """Look after the connection at `moment` (on the loop's clock), or sooner where that is planned."""
        if self._timer is not None:
            if self._timer_at <= moment:
                return
            self._timer.cancel()
        self._timer_at = moment
        self._timer = self.loop.call_at(moment, self._look)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        now = self.loop.time()
        if self.transport.is_closing():
            return
        if not self._is_between:
            if self.flow.read_paused:  # it is the app that does not take more
                self._heard_at = now
            end = self._heard_at + self.request_seconds
            if end <= now:
                self._refuse(408)
                return
        elif self.cycle is not None and not self.cycle.response_complete:
            return  # its response sets the timer again
        else:
            end = self._answered_at + self.timeout_keep_alive
            if end <= now:
                self.transport.close()
                return
        self._look_at(end)

    def _refuse(self, status: int) -> None:
        """End the connection; with a response where the request that is being read is the one to be answered next."""
        if self._is_refused:
            return
        self._is_refused = True
        cycle = self.cycle
        is_its_turn = cycle is None or cycle.response_complete
        if self._has_head:
            is_its_turn = not (is_its_turn or self.pipeline or cycle.response_started)
            # Whoever waits for the body is told that nobody is there any more.
            cycle.disconnected = True
            cycle.message_event.set()
        if is_its_turn:
            phrase, body = _REFUSALS[status]
            head = b"HTTP/1.1 %d %b\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
            self.transport.write(
                head % (status, phrase) + b"content-length: %d\r\n\r\n%b" % (len(body), body),
            )
        self.transport.close()
