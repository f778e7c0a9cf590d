"""One connection of a web or worker process to one runner, and what is attached through it.

A runner that restarts in place asks to be left alone for a moment: what is sent meanwhile is held, and on a new
connection everything goes on, so that whoever follows a log notices nothing but a pause.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import msgspec

from hosting.runner import frames as f
from hosting.runner.away import Away
from hosting.runner.transport import FrameConnection, Identity, dial
from hosting.stream.asking import Questions, RunnerUnavailableError
from hosting.stream.attachment import Attachment
from hosting.stream.heartbeat import Heartbeat

CONNECT_SECONDS = 5.0
RETURN_SECONDS = 12.0  # a runner that restarts in place has its socket open all the time: waiting is enough
_RETURN_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 3.2)

_decoder = msgspec.msgpack.Decoder(f.FromRunner)


class RunnerLink:
    """One connection to one runner. Implements FrameSink for the site's side."""

    def __init__(self, process: str) -> None:
        self.loop = asyncio.get_running_loop()
        self.runner = ""
        self.boot = ""
        self._process = process
        self._connection: FrameConnection | Away | None = None
        self._address = ""
        self._identity: Identity | None = None
        self._resume = ""  # while the runner restarts in place: the token to come back with
        self._paused: FrameConnection | None = None
        self._return: asyncio.Task[None] | None = None
        self._welcomed: asyncio.Future[None] = self.loop.create_future()
        self._attachments: dict[int, Attachment] = {}
        self._questions = Questions(self)
        self.ask = self._questions.ask
        self._heartbeat = Heartbeat(self)
        self._number = 0
        self._prefix = ""

    @property
    def is_open(self) -> bool:
        return self._connection is not None and self._connection.is_open

    @property
    def is_held(self) -> bool:
        """Whether what is sent waits for the runner to be back from a restart in place."""
        return isinstance(self._connection, Away)

    async def connect(self, address: str, identity: Identity | None) -> None:
        self._address, self._identity = address, identity
        try:
            await self._dial(CONNECT_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            self.close()
            raise RunnerUnavailableError(f"no runner answers at {address.partition(':')[0]}: {error}") from None

    async def _dial(self, seconds: float) -> None:
        connection = None
        try:
            async with asyncio.timeout(seconds):
                connection = await dial(self._address, lambda: FrameConnection(self, _decoder), self._identity)
                await self._welcomed
        except BaseException:
            if connection is not None:
                connection.close("no welcome")
            raise

    def open(
        self,
        *,
        deployment: str,
        epoch: int,
        owner: str,
        method: str,
        params: bytes,
        revision: str,
        end: f.EndRule,
        exchange: str = "",
        session: str = "",
        isolation: str = "",
        capabilities: bytes = b"",
        client: bytes = b"",
        wants_progress: bool = False,
        log_level: str = "",
        native_input: bool = False,
        trace: str = "",
        task: str = "",
        subject: str = "",
        generation: int = 0,
        personal: str = "",
        credit: int = f.INITIAL_CREDIT,
    ) -> Attachment:
        """Start an exchange and hold its wire. `exchange` may name the random part, for an idempotent open."""
        attachment = self.attachment(exchange or secrets.token_urlsafe(16))
        self.send(
            f.Open(
                attachment=attachment.number,
                exchange=attachment.exchange,
                deployment=deployment,
                epoch=epoch,
                owner=owner,
                method=method,
                params=params,
                revision=revision,
                end=end,
                session=session,
                isolation=isolation,
                capabilities=capabilities,
                client=client,
                wants_progress=wants_progress,
                log_level=log_level,
                native_input=native_input,
                trace=trace,
                task=task,
                subject=subject,
                generation=generation,
                personal=personal,
                credit=credit,
            )
        )
        return attachment

    def attach(self, log: str, *, owner: str, after: int = 0, mode: f.Mode = f.Mode.WIRE) -> Attachment:
        """Follow a log from the first event after `after`: an exchange's id, `session:<id>` or `feed:<deployment>`."""
        attachment = self._attachment(log)
        attachment.seen = after
        self.send(f.Attach(attachment.number, log, owner, after, mode))
        return attachment

    def attachment(self, random_part: str) -> Attachment:
        """For an exchange that is opened by a frame with the attachment's number and exchange, sent next."""
        return self._attachment(self._prefix + random_part)

    def exchange_id(self, random_part: str) -> str:
        return self._prefix + random_part

    def next_number(self) -> int:
        """Of an attachment or a question."""
        self._number += 1
        return self._number

    def _attachment(self, exchange: str) -> Attachment:
        attachment = Attachment(self, self.next_number(), exchange)
        if self.is_open:
            self._attachments[attachment.number] = attachment
        else:
            attachment.detached(f.Reason.CLOSED, "the connection to the runner is gone")
        return attachment

    def send(self, frame: f.ToRunner) -> None:
        if self._connection is not None:
            self._connection.send(frame)

    def forget(self, number: int) -> None:
        self._attachments.pop(number, None)

    def give_up(self, reason: str) -> None:
        if self._connection is not None:
            self._connection.close(reason)

    def close(self) -> None:
        if self._return is not None:
            self._return.cancel()
        if isinstance(self._connection, Away):
            self._lost("closed")
        elif self._connection is not None:
            self._connection.close("closed")

    # FrameSink

    def connection_ready(self, connection: FrameConnection) -> None:
        if not self._resume:
            self._connection = connection
        connection.send(f.Hello(self._process, f.PROTOCOL, self._resume))

    def connection_writable(self, connection: FrameConnection) -> None:
        pass

    def frame_received(self, connection: FrameConnection, frame: f.FromRunner) -> None:
        self._heartbeat.is_heard = True
        if isinstance(frame, f.Events):
            attachment = self._attachments.get(frame.attachment)
            if attachment is not None:
                attachment.received(frame.events)
        elif isinstance(frame, f.Detached):
            attachment = self._attachments.pop(frame.attachment, None)
            if attachment is not None:
                attachment.detached(frame.reason, frame.detail)
        elif isinstance(frame, f.Answered):
            self._questions.answered(frame)
        elif isinstance(frame, f.Pause):
            self._pause(connection, frame.token)
        elif isinstance(frame, f.Leave):
            if frame.is_final:
                self._lost("it has ended")
            connection.close("the runner restarts")
        else:
            self._be_welcome(connection, frame)

    def connection_lost(self, connection: FrameConnection, reason: str) -> None:
        if self._resume:
            if self._return is None:
                self._return = self.loop.create_task(self._come_back())
            elif not self._welcomed.done():
                self._welcomed.set_exception(ConnectionResetError(reason))
        else:
            self._lost(reason)

    def _lost(self, reason: str) -> None:
        never_sent = self._connection.held if isinstance(self._connection, Away) else []
        self._connection = None
        self._resume = ""
        self._heartbeat.stop()
        for frame in never_sent:
            opened = self._attachments.pop(frame.attachment, None) if isinstance(frame, f.Open) else None
            if opened is not None:
                opened.detached(f.Reason.UNPLACED, "the runner ended before it was asked")
        attachments, self._attachments = self._attachments, {}
        for attachment in attachments.values():
            attachment.detached(f.Reason.CLOSED, f"the connection to the runner broke: {reason}")
        self._questions.lost(f"the connection to the runner broke: {reason}")
        if not self._welcomed.done():
            self._welcomed.set_exception(ConnectionResetError(reason))

    # a runner that restarts in place

    def _pause(self, connection: FrameConnection, token: str) -> None:
        """From now on what is sent is held; attachments and questions wait for the runner to be back."""
        connection.send(f.Paused())
        self._resume, self._paused = token, connection
        self._connection = Away()

    async def _come_back(self) -> None:
        reason = "it did not come back from its restart"
        for pause in _RETURN_PAUSES:
            self._welcomed = self.loop.create_future()
            try:
                await self._dial(RETURN_SECONDS)
                return
            except (OSError, TimeoutError) as error:
                reason = str(error)
            await asyncio.sleep(pause)
        self._lost(reason)

    def _be_welcome(self, connection: FrameConnection, frame: f.Welcome) -> None:
        held: list[Any] = []
        if self._resume and connection is not self._paused:
            if not frame.resumed:
                self._lost("it was started anew")
            elif isinstance(self._connection, Away):
                held = self._connection.held
            self._resume, self._paused, self._return, self._connection = "", None, None, connection
        self.runner, self.boot = frame.runner, frame.boot
        self._prefix = f"{frame.runner}.{frame.boot}."
        self._heartbeat.start()
        for one in held:
            connection.send(one)
        if not self._welcomed.done():
            self._welcomed.set_result(None)
