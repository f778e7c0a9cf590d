"""One request to a remote: its POST, the answer in whichever form, and a broken stream taken up again.

A legacy stream with event ids is resumed by GET (2025-11-25 basic/transports, "Resumability and Redelivery"); whatever
else breaks off ends in an error, because the request may have been acted on and is never sent again. Two are, on the
remote's own word or because they do nothing: a call that was refused for missing `Mcp-Param-*` headers, and a listener.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

import msgspec

from hosting.runner.listening import LISTEN
from hosting.runner.remote import tool_list
from hosting.runner.remote.events import EventReader, TooLargeError
from hosting.runner.remote.http import ERROR_BYTES, JSON, STREAM, Answer, Fields, too_large
from hosting.runner.remote.outgoing import Outgoing, meta_of, modern_headers
from hosting.runner.remote.trouble import Cause, TroubleError
from hosting.runner.remote.wire import ANY, FIRST_PAUSE_SECONDS, Wire, next_pause
from hosting.runner.upstream import messages as m

HEADER_MISMATCH: Final = -32020
MAX_PAGES: Final = 20
MAX_FAILED_RESUMPTIONS: Final = 6
LINGER_SECONDS: Final = 1.0  # for a stream to end by itself after its answer, so that its connection can be used again


class Post:
    """`run` ends when the request is answered, one way or the other. Cancelling it closes its stream."""

    def __init__(self, wire: Wire, outgoing: Outgoing, body: bytes) -> None:
        self.number = outgoing.number
        self.method = outgoing.method
        self.has_begun = False  # whether any message came for it
        self._wire = wire
        self._outgoing = outgoing
        self.body = body
        self._done = False
        self._reader = EventReader(wire.limit)
        self._mismatch: m.Message | None = None  # a refusal for its headers, until they are learnt
        self._has_learnt = False

    @property
    def last_event_id(self) -> bytes:
        return self._reader.last_id

    async def run(self) -> None:
        """Raises TroubleError."""
        while True:
            try:
                await self._once()
            except TroubleError as trouble:
                if not self._is_repeatable(trouble):
                    raise
                self._wire.note(f"{trouble.words}; listening again")
            if self._done:
                return
            if self._mismatch is not None:
                await self._learn_headers()
            elif self.method == LISTEN:
                await asyncio.sleep(self._reader.retry_seconds or FIRST_PAUSE_SECONDS)
            elif self._wire.era == "legacy" and self._reader.last_id:
                await self.resume(self._reader.last_id)
            else:
                words = f"{self._wire.host} closed the stream before it had answered; the request is not sent again"
                raise TroubleError(Cause.BROKEN, words)

    def _is_repeatable(self, trouble: TroubleError) -> bool:
        if trouble.cause not in (Cause.BROKEN, Cause.UNREACHABLE):
            return False
        if self.method == LISTEN and self._wire.era == "modern":
            return self.has_begun
        return trouble.cause is Cause.BROKEN and self._wire.era == "legacy" and bool(self._reader.last_id)

    async def _once(self) -> None:
        wire = self._wire
        fields = wire.fields(ANY)
        if wire.era == "modern":
            fields.update(modern_headers(self._outgoing, wire.mirrored))
        seconds = wire.seconds if self.method in ("initialize", "server/discover") else None
        self._reader.restart()
        async with wire.http.ask("POST", fields, self.body, seconds=seconds) as answer:
            if self.method == "initialize" and answer.is_success:
                wire.begin_session(answer.fields.get("mcp-session-id", b""))
            if answer.is_stream:
                await self._follow(answer)
            elif answer.status == HTTPStatus.OK and answer.kind == JSON:
                self._take_all(wire.decode(await answer.read(wire.limit)))
                if not self._done and self._mismatch is None:
                    raise TroubleError(Cause.CONTENT, f"{wire.host} answered another request than it was asked")
            else:
                await self._refused(answer)

    async def _refused(self, answer: Answer) -> None:
        """An HTTP status instead of an answer; a JSON-RPC error in its body is one all the same."""
        wire = self._wire
        if answer.status == HTTPStatus.NOT_FOUND and wire.session and self.method != "initialize":
            raise wire.session_lost()
        body = await answer.read(ERROR_BYTES)
        if answer.kind == JSON and not answer.is_success and answer.status not in (401, 403):
            for message in self._errors(body):
                self._take_all([message])
                return
        raise answer.trouble(body)

    def _errors(self, body: bytes) -> list[m.Message]:
        """The error for this request in the body of a refusal, which may come without its id."""
        try:
            message = m.decode_message(body)
        except msgspec.DecodeError:
            return []
        if message.error is msgspec.UNSET or message.method is not msgspec.UNSET:
            return []
        return [m.Message(id=self.number, error=message.error)]

    async def _follow(self, answer: Answer) -> None:
        """Pass on what a stream says, until it has the answer or ends. Raises TroubleError."""
        wire = self._wire
        try:
            while not self._done and self._mismatch is None and (chunk := await answer.chunk()):
                for event in self._reader.feed(chunk):
                    self._take_all(wire.messages(event))
        except TooLargeError:
            raise too_large(wire.host, wire.limit) from None
        if self._done:
            await _linger(answer)

    async def resume(self, last_id: bytes) -> None:
        """Take a legacy stream up after the event of that id, as often as the remote ends it. Raises TroubleError."""
        wire, reader = self._wire, self._reader
        reader.last_id = last_id
        failed, pause = 0, FIRST_PAUSE_SECONDS
        while not self._done:
            await asyncio.sleep(pause if reader.retry_seconds is None else max(reader.retry_seconds, 0.05) + failed)
            reader.restart()
            fields: Fields = {**wire.fields(STREAM, has_body=False), "last-event-id": reader.last_id}
            try:
                async with wire.http.ask("GET", fields, seconds=None) as answer:
                    if not answer.is_stream:
                        await self._not_resumed(answer)
                    failed, pause = 0, FIRST_PAUSE_SECONDS
                    await self._follow(answer)
            except TroubleError as trouble:
                failed += 1
                if trouble.cause not in (Cause.UNREACHABLE, Cause.BROKEN) or failed > MAX_FAILED_RESUMPTIONS:
                    raise
                pause = next_pause(pause)

    async def _not_resumed(self, answer: Answer) -> None:
        if answer.status == HTTPStatus.NOT_FOUND and self._wire.session:
            raise self._wire.session_lost()
        trouble = answer.trouble(await answer.read(ERROR_BYTES))
        words = f"the stream broke off and could not be taken up again: {trouble.words}"
        raise TroubleError(trouble.cause, words, trouble.status, sign_in=trouble.sign_in)

    # --- messages

    def _take_all(self, messages: list[m.Message]) -> None:
        for message in messages:
            self.has_begun = True
            if message.method is msgspec.UNSET and message.id == self.number and not self._done:
                if self._asks_for_headers(message):
                    self._mismatch = message
                    return
                self._done = True
                message = self._answer(message)
            self._wire.take(message, self.number)

    def _answer(self, message: m.Message) -> m.Message:
        """The answer as it is passed on; what the handshake and the tools say about HTTP is kept here."""
        wire = self._wire
        if message.result is msgspec.UNSET:
            return message
        if self.method == "initialize":
            wire.revision = _Version.of(message.result)
        elif self.method == "tools/list" and wire.era == "modern":
            result = bytes(message.result)
            if wire.mirrored or tool_list.is_marked(result):
                result, left_out = tool_list.learn(result, wire.mirrored)
                for sentence in left_out:
                    wire.note(sentence)
                return m.Message(id=message.id, result=msgspec.Raw(result))
        return message

    # --- mirrored arguments

    def _asks_for_headers(self, message: m.Message) -> bool:
        if self._wire.era != "modern" or self.method != "tools/call" or message.error is msgspec.UNSET:
            return False
        try:
            code = m.decode_error(message.error).code
        except msgspec.DecodeError:
            return False
        return code == HEADER_MISMATCH and not self._has_learnt

    async def _learn_headers(self) -> None:
        """ "Client Behavior": a call that was refused for its headers is sent again after a look at the tools."""
        wire, refused = self._wire, self._mismatch
        self._mismatch, self._has_learnt = None, True
        before = modern_headers(self._outgoing, wire.mirrored)
        meta, cursor = meta_of(self._outgoing.params), ""
        for page in range(MAX_PAGES):
            params = {"_meta": meta, **({"cursor": cursor} if cursor else {})}
            asked = f"{self.number}-tools-{page}"
            outgoing = Outgoing(asked, "tools/list", msgspec.Raw(m.encode(params)))
            result = await _result_of(wire, outgoing)
            tool_list.learn(result, wire.mirrored)
            cursor = tool_list.next_cursor(result)
            if not cursor:
                break
        if modern_headers(self._outgoing, wire.mirrored) == before and refused is not None:
            self._done = True
            wire.take(refused, self.number)


class _Version(msgspec.Struct):
    revision: str = msgspec.field(name="protocolVersion", default="")

    @classmethod
    def of(cls, result: msgspec.Raw) -> str:
        try:
            return msgspec.json.decode(result, type=cls).revision
        except msgspec.DecodeError:
            return ""  # the adapter says what is wrong with it


async def _result_of(wire: Wire, outgoing: Outgoing) -> bytes:
    """One stateless request of our own. Raises TroubleError."""
    params = bytes(outgoing.params)
    body = b'{"jsonrpc":"2.0","id":%s,"method":%s,"params":%s}' % (
        m.encode(outgoing.id), m.encode(outgoing.method), params,
    )  # fmt: skip
    fields = {**wire.fields(ANY), **modern_headers(outgoing, {})}
    reader = EventReader(wire.limit)
    async with wire.http.ask("POST", fields, body, seconds=wire.seconds) as answer:
        if answer.is_stream:
            while chunk := await answer.chunk():
                for event in reader.feed(chunk):
                    for message in wire.messages(event):
                        if message.id == outgoing.id and message.result is not msgspec.UNSET:
                            return bytes(message.result)
        elif answer.status == HTTPStatus.OK:
            for message in wire.decode(await answer.read(wire.limit)):
                if message.result is not msgspec.UNSET:
                    return bytes(message.result)
        raise TroubleError(Cause.CONTENT, f"{wire.host} wants headers for the tool's arguments and does not list it")


async def _linger(answer: Answer) -> None:
    """Let a stream that has said everything end by itself."""
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while await answer.chunk():
                pass
    except (TimeoutError, TroubleError):
        pass
