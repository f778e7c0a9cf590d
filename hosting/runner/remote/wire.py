"""What all requests to one remote share: the session, the headers, and where its messages go."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from hosting.runner.remote.events import Event
from hosting.runner.remote.http import JSON, STREAM, Http
from hosting.runner.remote.outgoing import Mirrored
from hosting.runner.remote.trouble import Cause, TroubleError
from hosting.runner.upstream import messages as m

ANY: Final = f"{JSON}, {STREAM}"
FIRST_PAUSE_SECONDS: Final = 1.0  # before a broken stream is taken up again, where the remote does not say
LAST_PAUSE_SECONDS: Final = 30.0
_SESSION = re.compile(rb"[\x21-\x7e]{1,1024}\Z")  # 2025-11-25 basic/transports, "Session Management"
_decode_all = msgspec.json.Decoder(list[m.Message]).decode


class Wire:
    """`take` is given each message and the number of the request on whose stream it came (0 for none)."""

    def __init__(
        self,
        http: Http,
        limit: int,
        seconds: float,
        *,
        take: Callable[[m.Message, int], None],
        note: Callable[[str], None],
        end: Callable[[str], None],
    ) -> None:
        self.http = http
        self.limit = limit  # bytes of one message
        self.seconds = seconds  # within which what needs no work is answered
        self.take = take
        self.note = note
        self.end = end
        self.era = ""  # "", modern or legacy, by what was asked first and answered
        self.revision = ""
        self.session = b""
        self.post_url = ""  # of the HTTP+SSE transport, where it is spoken
        self.mirrored: Mirrored = {}

    @property
    def host(self) -> str:
        return self.http.host

    def fields(self, accept: str, *, has_body: bool = True) -> dict[str, str | bytes]:
        """The headers of every request of a session."""
        fields: dict[str, str | bytes] = {"accept": accept}
        if has_body:
            fields["content-type"] = JSON
        if self.session:
            fields["mcp-session-id"] = self.session
        if self.revision:
            fields["mcp-protocol-version"] = self.revision
        return fields

    def begin_session(self, given: bytes) -> None:
        """Raises TroubleError."""
        if given and not _SESSION.match(given):
            raise TroubleError(Cause.CONTENT, f"{self.host} gave a session id that can't be sent back")
        self.session = given

    def session_lost(self) -> TroubleError:
        return TroubleError(Cause.SESSION, f"{self.host} has ended the session", 404)

    def decode(self, data: bytes) -> list[m.Message]:
        """The message, or the batch of them (2025-03-26). Raises TroubleError."""
        try:
            if data.lstrip()[:1] == b"[":
                return _decode_all(data)
            return [m.decode_message(data)]
        except (msgspec.DecodeError, RecursionError):
            raise TroubleError(Cause.CONTENT, f"{self.host} answered with what is no JSON-RPC message") from None

    def messages(self, event: Event) -> list[m.Message]:
        """What one event of a stream carries. What is none is noted and passed over."""
        if event.name not in (b"", b"message"):
            return []
        try:
            return self.decode(event.data)
        except TroubleError as trouble:
            self.note(f"{trouble.words}: {event.data[:200].decode('utf-8', 'backslashreplace')}")
            return []


def next_pause(pause: float) -> float:
    return min(pause * 2, LAST_PAUSE_SECONDS)
