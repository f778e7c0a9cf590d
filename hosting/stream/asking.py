"""Control operations over a link to a runner, and their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, overload

import msgspec

from hosting.runner import control as c
from hosting.runner import frames as f
from hosting.runner.seen import (
    CallSeen,
    DataPart,
    EgressBatch,
    Held,
    News,
    OutboxSeen,
    Refusal,
    Request,
    Status,
    Tail,
    Taken,
)
from hosting.stream.attachment import DetachedError

ANSWER_SECONDS = 15.0

_encode = msgspec.msgpack.Encoder().encode
_decode_refusal = msgspec.msgpack.Decoder(Refusal).decode
_decode_taken = msgspec.msgpack.Decoder(Taken).decode
_ANSWERS: dict[type[Any], Callable[[bytes], Any]] = {
    c.GetStatus: msgspec.msgpack.Decoder(Status).decode,
    c.GetTail: msgspec.msgpack.Decoder(Tail).decode,
    c.GetOutbox: msgspec.msgpack.Decoder(OutboxSeen).decode,
    c.GetNews: msgspec.msgpack.Decoder(News).decode,
    c.GetRequest: msgspec.msgpack.Decoder(Request).decode,
    c.GetCall: msgspec.msgpack.Decoder(CallSeen).decode,
    c.GetData: msgspec.msgpack.Decoder(DataPart).decode,
    c.GetEgress: msgspec.msgpack.Decoder(EgressBatch).decode,
    c.SetShare: msgspec.msgpack.Decoder(Held).decode,
}


class RunnerUnavailableError(Exception):
    """Nobody answers at the runner's address; nothing was started there."""


class RefusedError(DetachedError):
    """A control operation was refused."""


class Link(Protocol):
    """What it is asked through."""

    loop: asyncio.AbstractEventLoop

    @property
    def is_open(self) -> bool: ...
    def next_number(self) -> int: ...
    def send(self, frame: f.ToRunner) -> None: ...


class Questions:
    """Those of one link that are not answered yet."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._asked: dict[int, asyncio.Future[bytes]] = {}

    @overload
    async def ask(self, operation: c.GetStatus) -> Status: ...
    @overload
    async def ask(self, operation: c.GetTail) -> Tail: ...
    @overload
    async def ask(self, operation: c.GetData) -> DataPart: ...
    @overload
    async def ask(self, operation: c.GetEgress) -> EgressBatch: ...
    @overload
    async def ask(self, operation: c.SetShare) -> Held: ...
    @overload
    async def ask(self, operation: c.GetOutbox) -> OutboxSeen: ...
    @overload
    async def ask(self, operation: c.GetNews) -> News: ...
    @overload
    async def ask(self, operation: c.GetRequest) -> Request: ...
    @overload
    async def ask(self, operation: c.GetCall) -> CallSeen: ...
    @overload
    async def ask(self, operation: c.Order | c.OfPersons) -> Taken: ...
    async def ask(self, operation: c.Operation) -> Any:
        """Do one control operation. Raises RefusedError, or RunnerUnavailableError when the answer does not come."""
        link = self._link
        if not link.is_open:
            raise RunnerUnavailableError("the connection to the runner is gone")
        number = link.next_number()
        reply = self._asked[number] = link.loop.create_future()
        link.send(f.Ask(number, _encode(operation)))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                body = await reply
        except TimeoutError:
            raise RunnerUnavailableError("the runner did not answer in time") from None
        finally:
            self._asked.pop(number, None)
        return _ANSWERS.get(type(operation), _decode_taken)(body)

    def answered(self, frame: f.Answered) -> None:
        reply = self._asked.get(frame.id)
        if reply is None or reply.done():
            return
        if frame.ok:
            reply.set_result(frame.body)
        else:
            refusal = _decode_refusal(frame.body)
            reply.set_exception(RefusedError(refusal.reason, refusal.detail))

    def lost(self, reason: str) -> None:
        """No answer comes any more."""
        for reply in self._asked.values():
            if not reply.done():
                reply.set_exception(RunnerUnavailableError(reason))
