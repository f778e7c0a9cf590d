"""Frames in, runner operations out, for every web and worker process that is connected."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable

import msgspec

from hosting.runner import control as c
from hosting.runner import frames as f
from hosting.runner.admission import admit
from hosting.runner.away import Away
from hosting.runner.follower import Follower
from hosting.runner.log import Log
from hosting.runner.operations import perform
from hosting.runner.refused import RefusedError
from hosting.runner.runner import Runner
from hosting.runner.seen import Refusal
from hosting.runner.transport import FrameConnection

log = logging.getLogger(__name__)

RETURN_SECONDS = 15.0  # after which a web process that was asked to come back is taken for gone
LEAVE_SECONDS = 5.0

Followers = dict[int, Follower]
HeldOver = tuple[list[f.FromRunner], Followers]  # of one connection: frames still to be sent, and attachments
_encode = msgspec.msgpack.Encoder().encode
_decode_operation = msgspec.msgpack.Decoder(c.Operation).decode
_decoder = msgspec.msgpack.Decoder(f.ToRunner)


class StreamServer:
    """Implements FrameSink for the runner's side of all connections."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._attached: dict[FrameConnection, Followers] = {}
        self._tokens: dict[FrameConnection, str] = {}  # of those that were asked to pause
        self._still_sending: set[FrameConnection] = set()
        self._away: dict[str, tuple[Away, Followers]] = {}  # by token, until they come back
        self._moved = asyncio.Event()

    def connection(self) -> FrameConnection:
        """A protocol for one more accepted connection."""
        return FrameConnection(self, _decoder)

    def connection_ready(self, connection: FrameConnection) -> None:
        self._attached[connection] = {}
        if self._tokens:
            self._pause(connection)

    def connection_lost(self, connection: FrameConnection, reason: str) -> None:
        """A web process that dies takes its clients with it: every wire it held is gone."""
        followers = self._attached.pop(connection, {})
        self._still_sending.discard(connection)
        self._moved.set()
        token = self._tokens.pop(connection, "")
        if not token:
            for follower in list(followers.values()):
                self._leave(follower, gone=True)
        elif token not in self._away:
            self._send_away(token, followers)

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
        elif isinstance(frame, f.Paused):
            self._still_sending.discard(connection)
            self._moved.set()
        elif frame.protocol != f.PROTOCOL:
            connection.close(f"{frame.process} speaks protocol {frame.protocol}, this runner {f.PROTOCOL}")
        else:
            self._welcome(connection, frame.resume)

    def _open(self, connection: FrameConnection, frame: f.Open) -> None:
        try:
            found = admit(self._runner, frame)
        except RefusedError as error:
            connection.send(f.Detached(frame.attachment, error.reason, error.detail))
            return
        except Exception:
            log.exception("a call could not be opened")
            connection.send(f.Detached(frame.attachment, f.Reason.BUSY, "the runner failed; its log has the details"))
            return
        self._follow(connection, found, frame.attachment, after=0, credit=frame.credit, mode=frame.mode)

    def _attach(self, connection: FrameConnection, frame: f.Attach) -> None:
        try:
            found = self._runner.find_log(frame.log, frame.owner)
        except RefusedError as error:
            connection.send(f.Detached(frame.attachment, error.reason, error.detail))
            return
        if frame.mode is f.Mode.WIRE:
            self._runner.wire_taken(frame.log)
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
            attached=attached,
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

    # --- over a restart in place

    async def pause(self) -> None:
        """Ask every connection to come back later. Returns when all that they sent has been taken."""
        self._tokens = dict.fromkeys(self._attached, "")
        for connection in list(self._attached):
            self._pause(connection)
        await self._until(lambda: not self._still_sending)

    def _pause(self, connection: FrameConnection) -> None:
        token = self._tokens[connection] = secrets.token_urlsafe(16)
        self._still_sending.add(connection)
        connection.send(f.Pause(token))

    async def leave(self, *, is_final: bool = False) -> None:
        """Stop sending; returns when the other ends have everything. `is_final`: they need not come back."""
        for connection, followers in self._attached.items():
            self._send_away(self._tokens[connection], followers)
            connection.send(f.Leave(is_final))
        await self._until(lambda: not self._attached)

    def _send_away(self, token: str, followers: Followers, held: Iterable[f.FromRunner] = ()) -> None:
        away = Away(held)
        for follower in followers.values():
            follower.connection = away
        self._away[token] = (away, followers)

    async def _until(self, condition: Callable[[], bool]) -> None:
        """One that does nothing for so long is taken for hung; what it still misses is lost with its connection."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                while not condition():
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            log.warning("a connection does not pause", extra={"connections": len(self._attached)})

    @property
    def away(self) -> dict[str, HeldOver]:
        """What to hand over, by token."""
        return {token: (away.held, followers) for token, (away, followers) in self._away.items()}

    def adopt(self, away: dict[str, HeldOver]) -> None:
        """Take up the attachments that an earlier run of this runner had, for whoever comes back for them."""
        for token, (held, followers) in away.items():
            self._send_away(token, followers, held)
        self.expect()

    def expect(self) -> None:
        """From now on those who are away may come back."""
        self._tokens.clear()
        asyncio.get_running_loop().call_later(RETURN_SECONDS, self._give_up, list(self._away))

    def _give_up(self, tokens: list[str]) -> None:
        for token in tokens:
            _, followers = self._away.pop(token, (None, {}))
            for follower in list(followers.values()):
                self._leave(follower, gone=True)

    def _welcome(self, connection: FrameConnection, token: str) -> None:
        found = self._away.pop(token, None) if token else None
        connection.send(f.Welcome(self._runner.name, self._runner.boot, f.PROTOCOL, found is not None))
        if found is None:
            return
        away, followers = found
        self._attached[connection] = followers
        for follower in followers.values():
            follower.connection = connection
        for frame in away.held:
            connection.send(frame)
        for follower in list(followers.values()):
            follower.pump()

    def _ask(self, connection: FrameConnection, frame: f.Ask) -> None:
        try:
            value = perform(self._runner, _decode_operation(frame.body))
            connection.send(f.Answered(frame.id, True, _encode(value)))
        except RefusedError as error:
            connection.send(f.Answered(frame.id, False, _encode(Refusal(error.reason, error.detail))))
        except msgspec.DecodeError as error:
            refusal = Refusal(f.Reason.LOST, f"unknown operation: {error}")
            connection.send(f.Answered(frame.id, False, _encode(refusal)))
        except Exception:
            log.exception("operation failed")
            refusal = Refusal(f.Reason.BUSY, "the runner failed; its log has the details")
            connection.send(f.Answered(frame.id, False, _encode(refusal)))
