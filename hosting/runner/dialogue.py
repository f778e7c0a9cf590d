"""The JSON-RPC side of a child's pipes: before its adapter is chosen the handshake's replies, after that everything."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

import msgspec

from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import Upstream
from hosting.runner.voice import Voice

log = logging.getLogger(__name__)

RUBBISH_BYTES = 64 * 1024  # of a line that is no message: as much as a few secrets have, since only a little is shown
_encode = msgspec.json.Encoder().encode


class Speaker(Protocol):
    """The instance whose child this is."""

    label: str
    voice: Voice

    def write(self, line: bytes) -> None: ...
    def note(self, text: str) -> None: ...
    def received(self, message: m.Message) -> None: ...
    def not_understood(self, number: object, why: str) -> None: ...


class Dialogue:
    """Reads lines, keeps the numbers of requests, and tells what was no message at all."""

    def __init__(self, speaker: Speaker) -> None:
        self.upstream: Upstream | None = None
        self._speaker = speaker
        self._number = 0
        self._replies: dict[int, asyncio.Future[m.Message]] = {}
        self._rubbish = ""

    def next_id(self) -> int:
        self._number += 1
        return self._number

    async def ask(self, method: str, params: bytes) -> m.Message:
        """One request before the adapter is there; the raw reply."""
        number = self.next_id()
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        self._speaker.write(m.request(number, _encode(method), params))
        try:
            answer: m.Message = await reply
            return answer
        finally:
            self._replies.pop(number, None)

    def line(self, line: bytes) -> None:
        """Take one line of standard output."""
        if not line or line.isspace():
            return
        try:
            message = m.decode_message(line)
        except (msgspec.DecodeError, RecursionError):
            # Masked before it is cut: half a secret could not be told from other text any more.
            shown = self._speaker.voice.masked(line[:RUBBISH_BYTES].decode("utf-8", "backslashreplace"))
            self._rubbish = self._rubbish or shown[:120]
            self._speaker.note(f"on standard output, no JSON-RPC message: {shown[:300]}")
            return
        self.take(message)

    def take(self, message: m.Message, about: int = 0) -> None:
        """Take a message. `about` is the number of the request on whose stream it came, where that is known."""
        try:
            self._speaker.received(message)  # what secrets can't be taken out of goes nowhere
            if self.upstream is not None:
                self.upstream.received(message, about)
            else:
                self._during_handshake(message)
        except (msgspec.DecodeError, RecursionError) as error:
            self._refuse(message, str(error))
        except Exception:
            log.exception(
                "a message of a hosted server could not be handled", extra={"deployment": self._speaker.label}
            )
            self._refuse(message, "the runner's log has the details")

    def _refuse(self, message: m.Message, why: str) -> None:
        self._speaker.note(f"a message could not be understood: {why}")
        if message.method is msgspec.UNSET:
            self._speaker.not_understood(message.id, why)

    def _during_handshake(self, message: m.Message) -> None:
        if message.method is msgspec.UNSET:
            reply = self._replies.get(message.id) if isinstance(message.id, int) else None
            if reply is not None and not reply.done():
                reply.set_result(message)
        elif message.id is not msgspec.UNSET:
            if message.method == "ping":
                self._speaker.write(m.response(message.id))
            else:
                refusal = m.error_body(m.METHOD_NOT_FOUND, "Not before the handshake is done")
                self._speaker.write(m.response(message.id, error=refusal))

    def oversized(self, head: bytes, limit: int) -> None:
        """A line longer than `limit` bytes was thrown away."""
        self._speaker.note(f"a message over the limit of {limit // 2**20} MB was thrown away")
        if self.upstream is not None:
            self.upstream.oversized(head, limit)

    def rubbish_words(self) -> str:
        """What it printed instead of messages, as the end of a sentence; nothing when all was well."""
        if not self._rubbish:
            return ""
        return f"; on its standard output it printed what is no JSON-RPC message: {self._rubbish!r}"

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_replies": {}}

    def close(self) -> None:
        for reply in self._replies.values():
            reply.cancel()
        self._replies.clear()
