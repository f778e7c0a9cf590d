"""The site's side of the stream to a runner: one connection a runner and process, many attachments on it.

Used by the web process (plain ASGI and Channels) and by Celery jobs; it imports nothing of Django.

    pool = RunnerPool("web-1")
    link = await pool.link("unix:/run/…/r1.sock")
    attachment = link.open(deployment=…, epoch=…, owner=…, method="tools/call", params=b"{…}", revision="2025-11-25",
                           end=EndRule.SESSION)
    event = await attachment.next()
    attachment.close()
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, overload

import msgspec

from hosting.attachment import Attachment, DetachedError
from hosting.runner import control as c
from hosting.runner import frames as f
from hosting.runner.transport import FrameConnection, Identity, dial

__all__ = ["Attachment", "DetachedError", "RefusedError", "RunnerLink", "RunnerPool", "RunnerUnavailableError"]

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(f.FromRunner)
_decode_refusal = msgspec.msgpack.Decoder(c.Refusal).decode
_decode_status = msgspec.msgpack.Decoder(c.Status).decode
_decode_outbox = msgspec.msgpack.Decoder(c.OutboxSeen).decode
_decode_egress = msgspec.msgpack.Decoder(c.EgressBatch).decode
_decode_tail = msgspec.msgpack.Decoder(c.Tail).decode
_decode_taken = msgspec.msgpack.Decoder(c.Taken).decode


class RunnerUnavailableError(Exception):
    """Nobody answers at the runner's address; nothing was started there."""


class RefusedError(DetachedError):
    """A control operation was refused."""


class RunnerLink:
    """One connection to one runner. Implements FrameSink for the site's side."""

    def __init__(self, process: str) -> None:
        self.loop = asyncio.get_running_loop()
        self.runner = ""
        self.boot = ""
        self._process = process
        self._connection: FrameConnection | None = None
        self._welcomed: asyncio.Future[None] = self.loop.create_future()
        self._attachments: dict[int, Attachment] = {}
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        self._number = 0
        self._prefix = ""

    @property
    def is_open(self) -> bool:
        return self._connection is not None and self._connection.is_open

    async def connect(self, address: str, identity: Identity | None) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await dial(address, lambda: FrameConnection(self, _decoder), identity)
                await self._welcomed
        except (OSError, TimeoutError, ValueError) as error:
            self.close()
            raise RunnerUnavailableError(f"no runner answers at {address.partition(':')[0]}: {error}") from None

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
    ) -> Attachment:
        """Start an exchange and hold its wire. `exchange` may name the random part, for an idempotent open."""
        attachment = self._attachment(self._prefix + (exchange or secrets.token_urlsafe(16)))
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
            )
        )
        return attachment

    def attach(self, log: str, *, owner: str, after: int = 0, mode: f.Mode = f.Mode.WIRE) -> Attachment:
        """Follow a log from the first event after `after`: an exchange's id, `session:<id>` or `feed:<deployment>`."""
        attachment = self._attachment(log)
        self.send(f.Attach(attachment.number, log, owner, after, mode))
        return attachment

    def exchange_id(self, random_part: str) -> str:
        return self._prefix + random_part

    def _attachment(self, exchange: str) -> Attachment:
        self._number += 1
        attachment = Attachment(self, self._number, exchange)
        if self.is_open:
            self._attachments[self._number] = attachment
        else:
            attachment.detached(f.Reason.CLOSED, "the connection to the runner is gone")
        return attachment

    @overload
    async def ask(self, operation: c.GetStatus) -> c.Status: ...
    @overload
    async def ask(self, operation: c.GetTail) -> c.Tail: ...
    @overload
    async def ask(self, operation: c.GetOutbox) -> c.OutboxSeen: ...
    @overload
    async def ask(self, operation: c.GetEgress) -> c.EgressBatch: ...
    @overload
    async def ask(
        self,
        operation: c.Place | c.Unplace | c.Answer | c.Notify | c.Cancel | c.EndSession | c.Keep | c.Acknowledge,
    ) -> c.Taken: ...
    async def ask(self, operation: c.Operation) -> Any:
        """Do one control operation. Raises RefusedError, or RunnerUnavailableError when the answer does not come."""
        if not self.is_open:
            raise RunnerUnavailableError("the connection to the runner is gone")
        self._number += 1
        number = self._number
        reply = self._asked[number] = self.loop.create_future()
        self.send(f.Ask(number, _encode(operation)))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                body = await reply
        except TimeoutError:
            raise RunnerUnavailableError("the runner did not answer in time") from None
        finally:
            self._asked.pop(number, None)
        if isinstance(operation, c.GetStatus):
            return _decode_status(body)
        if isinstance(operation, c.GetTail):
            return _decode_tail(body)
        if isinstance(operation, c.GetOutbox):
            return _decode_outbox(body)
        if isinstance(operation, c.GetEgress):
            return _decode_egress(body)
        return _decode_taken(body)

    def send(self, frame: f.ToRunner) -> None:
        if self._connection is not None:
            self._connection.send(frame)

    def forget(self, number: int) -> None:
        self._attachments.pop(number, None)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close("closed")

    # FrameSink

    def connection_ready(self, connection: FrameConnection) -> None:
        self._connection = connection
        connection.send(f.Hello(self._process, f.PROTOCOL))

    def connection_writable(self, connection: FrameConnection) -> None:
        pass

    def frame_received(self, connection: FrameConnection, frame: f.FromRunner) -> None:
        if isinstance(frame, f.Events):
            attachment = self._attachments.get(frame.attachment)
            if attachment is not None:
                attachment.received(frame.events)
        elif isinstance(frame, f.Detached):
            attachment = self._attachments.pop(frame.attachment, None)
            if attachment is not None:
                attachment.detached(frame.reason, frame.detail)
        elif isinstance(frame, f.Answered):
            reply = self._asked.get(frame.id)
            if reply is None or reply.done():
                return
            if frame.ok:
                reply.set_result(frame.body)
            else:
                refusal = _decode_refusal(frame.body)
                reply.set_exception(RefusedError(refusal.reason, refusal.detail))
        else:
            self.runner, self.boot = frame.runner, frame.boot
            self._prefix = f"{frame.runner}.{frame.boot}."
            if not self._welcomed.done():
                self._welcomed.set_result(None)

    def connection_lost(self, connection: FrameConnection, reason: str) -> None:
        self._connection = None
        attachments, self._attachments = self._attachments, {}
        for attachment in attachments.values():
            attachment.detached(f.Reason.CLOSED, f"the connection to the runner broke: {reason}")
        for reply in self._asked.values():
            if not reply.done():
                reply.set_exception(RunnerUnavailableError(f"the connection to the runner broke: {reason}"))
        if not self._welcomed.done():
            self._welcomed.set_exception(ConnectionResetError(reason))


class RunnerPool:
    """The links of one process, made when first wanted and again after a break."""

    def __init__(self, process: str, identity: Callable[[], Identity | None] = lambda: None) -> None:
        """`identity` is asked when a runner on another host is connected to: certificates may be issued later."""
        self._process = process
        self._identity = identity
        self._links: dict[str, RunnerLink] = {}
        self._connecting: dict[str, asyncio.Lock] = {}

    def link_now(self, address: str) -> RunnerLink | None:
        """The link if it is open already; the hot path's way around an await."""
        link = self._links.get(address)
        return link if link is not None and link.is_open else None

    async def link(self, address: str) -> RunnerLink:
        """The open link to `address`. Raises RunnerUnavailableError."""
        link = self.link_now(address)
        if link is not None:
            return link
        async with self._connecting.setdefault(address, asyncio.Lock()):
            link = self.link_now(address)
            if link is None:
                link = RunnerLink(self._process)
                await link.connect(address, self._identity() if address.startswith("tls:") else None)
                self._links[address] = link
            return link

    async def close(self) -> None:
        for link in self._links.values():
            link.close()
        self._links.clear()
