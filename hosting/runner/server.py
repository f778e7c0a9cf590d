"""Frames in, runner operations out, for every web and worker process that is connected."""

from __future__ import annotations

import logging

import msgspec

from hosting.runner import control as c
from hosting.runner import frames as f
from hosting.runner.log import Follower, Log
from hosting.runner.operations import perform
from hosting.runner.runner import RefusedError, Runner
from hosting.runner.transport import FrameConnection

log = logging.getLogger(__name__)

_encode = msgspec.msgpack.Encoder().encode
_decode_operation = msgspec.msgpack.Decoder(c.Operation).decode
_decoder = msgspec.msgpack.Decoder(f.ToRunner)


class StreamServer:
    """Implements FrameSink for the runner's side of all connections."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._attached: dict[FrameConnection, dict[int, Follower]] = {}

    def connection(self) -> FrameConnection:
        """A protocol for one more accepted connection."""
        return FrameConnection(self, _decoder)

    def connection_ready(self, connection: FrameConnection) -> None:
        self._attached[connection] = {}

    def connection_lost(self, connection: FrameConnection, reason: str) -> None:
        """A web process that dies takes its clients with it: every wire it held is gone."""
        for follower in list(self._attached.pop(connection, {}).values()):
            self._leave(follower, gone=True)

    def connection_writable(self, connection: FrameConnection) -> None:
        for follower in list(self._attached.get(connection, {}).values()):
            follower.pump()

    def frame_received(self, connection: FrameConnection, frame: f.ToRunner) -> None:
        if isinstance(frame, f.Open):
            self._open(connection, frame)
        elif isinstance(frame, f.Credit):
            follower = self._attached[connection].get(frame.attachment)
            if follower is not None:
                follower.add_credit(frame.octets)
        elif isinstance(frame, f.Detach):
            follower = self._attached[connection].pop(frame.attachment, None)
            if follower is not None:
                self._leave(follower, gone=frame.gone)
        elif isinstance(frame, f.Ask):
            self._ask(connection, frame)
        elif isinstance(frame, f.Attach):
            self._attach(connection, frame)
        elif frame.protocol != f.PROTOCOL:
            connection.close(f"{frame.process} speaks protocol {frame.protocol}, this runner {f.PROTOCOL}")
        else:
            connection.send(f.Welcome(self._runner.name, self._runner.boot, f.PROTOCOL))

    def _open(self, connection: FrameConnection, frame: f.Open) -> None:
        try:
            found = self._runner.open(frame)
        except RefusedError as error:
            connection.send(f.Detached(frame.attachment, error.reason, error.detail))
            return
        self._follow(connection, found, frame.attachment, after=0, credit=frame.credit, mode=frame.mode)

    def _attach(self, connection: FrameConnection, frame: f.Attach) -> None:
        try:
            found = self._runner.find_log(frame.log, frame.owner)
        except RefusedError as error:
            connection.send(f.Detached(frame.attachment, error.reason, error.detail))
            return
        self._follow(connection, found, frame.attachment, after=frame.after, credit=frame.credit, mode=frame.mode)

    def _follow(
        self, connection: FrameConnection, found: Log, number: int, *, after: int, credit: int, mode: f.Mode
    ) -> None:
        attached = self._attached[connection]
        follower = Follower(
            connection,
            number,
            found,
            after=after,
            credit=credit,
            mode=mode,
            on_end=lambda ended: attached.pop(ended.number, None),
        )
        attached[number] = follower
        found.follow(follower)

    def _leave(self, follower: Follower, *, gone: bool) -> None:
        follower.log.unfollow(follower)
        if follower.mode is f.Mode.WIRE:
            if gone:
                self._runner.wire_gone(follower.log.id)
            else:
                self._runner.wire_left(follower.log.id)

    def _ask(self, connection: FrameConnection, frame: f.Ask) -> None:
        try:
            value = perform(self._runner, _decode_operation(frame.body))
            connection.send(f.Answered(frame.id, True, _encode(value)))
        except RefusedError as error:
            connection.send(f.Answered(frame.id, False, _encode(c.Refusal(error.reason, error.detail))))
        except msgspec.DecodeError as error:
            refusal = c.Refusal(f.Reason.LOST, f"unknown operation: {error}")
            connection.send(f.Answered(frame.id, False, _encode(refusal)))
        except Exception:
            log.exception("operation failed")
            refusal = c.Refusal(f.Reason.BUSY, "the runner failed; its log has the details")
            connection.send(f.Answered(frame.id, False, _encode(refusal)))
