"""The conversation with a child that speaks a handshake revision (2024-11-05 to 2025-11-25) over stdio.

Its own requests become `input_requested` events, whichever era the client is of. A modern client's stateless methods
are answered from the handshake (`server/discover`) or carried as the legacy methods they replace
(`subscriptions/listen`); what a modern result must have and a legacy one lacks is set in front of it.
Source: specification 2025-11-25 basic/lifecycle, basic/transports (stdio); 2026-07-28 basic/versioning.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hosting.questions.judging import NOT_ASKED, plain
from hosting.runner.exchange import Exchange
from hosting.runner.frames import Kind
from hosting.runner.session import Session
from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import LEGACY, MODERN, Client, HandshakeError, Peer, is_modern, session_of
from hosting.runner.upstream.legacy_tasks import LegacyTasks
from hosting.runner.upstream.listeners import Listeners
from hosting.runner.upstream.pages import fail
from hosting.runner.upstream.questions import Questions
from hosting.runner.upstream.translation import (
    is_loud_enough,
    is_lower,
    legacy_params,
    modern_result,
)

# 2026-07-28 basic/patterns/mrtr: what may ask for input. Handshake revisions forbid nothing, but servers keep to these.
ASKING = frozenset({"tools/call", "prompts/get", "resources/read"})


class Handshake(msgspec.Struct):
    """The parts of an InitializeResult that the adapter itself needs."""

    protocol_version: str = msgspec.field(name="protocolVersion", default="")
    capabilities: msgspec.Raw = msgspec.Raw(b"{}")
    server_info: msgspec.Raw = msgspec.field(name="serverInfo", default=msgspec.Raw(b"{}"))
    instructions: msgspec.Raw = msgspec.Raw(b"")


class _Progress(msgspec.Struct):
    token: int | str | float | None = msgspec.field(name="progressToken", default=None)


class LegacyUpstream:
    """One legacy child. Made after its handshake; `initialize_result` is the child's raw answer."""

    era = "legacy"

    def __init__(self, peer: Peer, client: Client, initialize_result: bytes) -> None:
        self._peer = peer
        self._raw = initialize_result
        try:
            self._handshake = msgspec.json.decode(initialize_result, type=Handshake)
        except msgspec.DecodeError as error:
            raise HandshakeError(f"its answer to initialize is not an InitializeResult: {error}") from None
        self.revision = self._handshake.protocol_version
        if self.revision not in LEGACY:
            raise HandshakeError(f"it answered initialize with the unknown protocol version {self.revision!r}")
        self._calls: dict[int, Exchange] = {}
        self._listeners = Listeners(self, bytes(self._handshake.capabilities))
        self._questions = Questions(peer, client)
        self._tasks = LegacyTasks(peer, self, bytes(self._handshake.capabilities), self.revision)
        self._initialized = False
        self._logs = "logging" in m.decode_members(self._handshake.capabilities)
        self._level = ""  # the lowest that a modern client asked for
        self._internal: set[int] = set()

    # --- toward the child

    def submit(self, exchange: Exchange) -> None:
        opened = exchange.open
        modern = is_modern(opened.revision)
        if opened.method == "initialize":
            exchange.succeed(self._initialize_result(opened.revision))
            self._peer.settled(exchange)
            return
        if modern and opened.method == "server/discover":
            exchange.succeed(self._discover_result())
            self._peer.settled(exchange)
            return
        self._ensure_initialized()
        if modern and exchange.listening:
            self._listeners.add(exchange)
            return
        if modern:
            self._set_level(opened.log_level)
        if not self._tasks.holds(exchange):
            self.send(exchange)

    def send(self, exchange: Exchange) -> None:
        """The exchange's request, under a new number."""
        opened = exchange.open
        params = legacy_params(opened.params) if is_modern(opened.revision) else opened.params
        params = self._tasks.params(exchange, params)
        number = exchange.number = self._peer.next_id()
        if opened.wants_progress or opened.trace:
            additions: dict[str, Any] = {"progressToken": number} if opened.wants_progress else {}
            if opened.trace:
                additions["traceparent"] = opened.trace
            params = m.with_meta(params, additions)
        self._calls[number] = exchange
        self._peer.write(m.request(number, m.encode(opened.method), params))

    def _initialize_result(self, revision: str) -> bytes:
        """The child's own answer, in the client's revision when another client's handshake chose the child's."""
        wanted = revision if revision in LEGACY else LEGACY[0]
        if self.revision == wanted or not self._peer.is_shared:
            return self._raw
        members = m.decode_members(self._raw)
        members["protocolVersion"] = msgspec.Raw(m.encode(wanted))
        return m.encode(members)

    def _discover_result(self) -> bytes:
        handshake = self._handshake
        body: dict[str, Any] = {
            "resultType": "complete",
            "supportedVersions": [*MODERN, *LEGACY],
            "capabilities": handshake.capabilities,
            "_meta": {m.META + "serverInfo": handshake.server_info},
            "ttlMs": 0,
            "cacheScope": "private",
        }
        if bytes(handshake.instructions):
            body["instructions"] = handshake.instructions
        return m.encode(body)

    def _ensure_initialized(self) -> None:
        if not self._initialized:
            self._initialized = True
            self._peer.write(m.notification("notifications/initialized"))

    def answer(self, exchange: Exchange | None, key: str, *, result: bytes, error: bytes) -> bool:
        return self._questions.answer(key, result=result, error=error)

    def cancel(self, exchange: Exchange, reason: str) -> None:
        is_task = self._tasks.cancel(exchange)
        self._forget(exchange)
        if exchange.number and not is_task:
            body: dict[str, Any] = {"requestId": exchange.number}
            if reason:
                body["reason"] = reason
            self._peer.write(m.notification("notifications/cancelled", m.encode(body)))

    def _forget(self, exchange: Exchange) -> None:
        self._calls.pop(exchange.number, None)
        self._listeners.remove(exchange, is_last_word=not self._peer.sessions())
        self._questions.drop(exchange)

    def notify(self, session: Session, method: str, params: bytes) -> None:
        if method == "notifications/initialized":
            self._ensure_initialized()
            return
        self._peer.write(m.notification(method, params))

    @property
    def has_open_questions(self) -> bool:
        return bool(self._questions)

    def adopted(self) -> None:
        self._questions.adopted()
        self._tasks.adopted()

    def _set_level(self, level: str) -> None:
        """A modern request says for itself what it wants to be told; the child is asked for all that anyone wants."""
        if level and self._logs and not self._peer.is_shared and is_lower(level, self._level):
            self._level = level
            self.ask_aside("logging/setLevel", {"level": level})

    def ask_aside(self, method: str, params: dict[str, Any]) -> None:
        """A request of our own, whose answer nobody waits for."""
        self._internal.add(self.ask_of_task(None, method, params))

    def ask_of_task(self, exchange: Exchange | None, method: str, params: dict[str, Any]) -> int:
        number = self._peer.next_id()
        self._peer.write(m.request(number, m.encode(method), m.encode(params)))
        return number

    # --- from the child

    def received(self, message: m.Message, about: int = 0) -> None:
        if isinstance(message.method, str):
            params = b"" if message.params is msgspec.UNSET else bytes(message.params)
            if message.id is msgspec.UNSET:
                self._notified(message.method, params, about)
            else:
                self._asked(message.id, message.method, params, about)
            return
        exchange = self._calls.pop(message.id, None) if isinstance(message.id, int) else None
        if exchange is None:
            self._answered_otherwise(message)
        elif message.error is not msgspec.UNSET:
            self.ended(exchange, error=bytes(message.error))
        elif message.result is msgspec.UNSET:
            exchange.refuse("The hosted server sent a response with neither result nor error")
            self._peer.settled(exchange)
        elif not self._tasks.created(exchange, bytes(message.result)):
            self.ended(exchange, result=bytes(message.result))
        elif not exchange.is_done:
            self._calls[exchange.number] = exchange  # what it still says of that call is passed on

    def ended(self, exchange: Exchange, *, result: bytes = b"", error: bytes = b"") -> None:
        """Its outcome."""
        modern = is_modern(exchange.open.revision)
        result = plain(result) if modern else result
        if words := self._peer.judge.of_outcome(self._peer.id, result, error):
            exchange.refuse(words, data=NOT_ASKED)
        elif error:
            fail(exchange, error, self._declared_by(exchange))
        else:
            exchange.succeed(modern_result(exchange.open.method, result) if modern else result)
        self._questions.ended(exchange)
        self._peer.settled(exchange)

    def let_go(self, exchange: Exchange) -> None:
        self._calls.pop(exchange.number, None)

    def _answered_otherwise(self, message: m.Message) -> None:
        """An answer to a request of our own, or to one that is over."""
        if self._tasks.owns(message.id):
            self._tasks.answered(message)
        elif message.id in self._internal:
            self._internal.discard(message.id)
        elif message.result is msgspec.UNSET or not self._tasks.came_late(bytes(message.result)):
            self._peer.note(f"answered a request that is not open: id {message.id!r}")

    def _declared_by(self, exchange: Exchange) -> bytes:
        """The capabilities of its client, raw."""
        session = session_of(self._peer, exchange)
        return session.capabilities if session is not None else exchange.open.capabilities

    def _asked(self, request_id: Any, method: str, params: bytes, about: int) -> None:
        if method == "ping":
            self._peer.write(m.response(request_id))
        else:
            self._questions.ask(request_id, method, params, self._askers(params, about))

    def _askers(self, params: bytes, about: int) -> list[Exchange]:
        """The calls that a request of the child may belong to, oldest first; one where it is known."""
        known = self._tasks.asked_by(params) or self._calls.get(about)
        if known is not None:
            return [known]
        running = [call for call in self._calls.values() if not call.is_done]
        return [call for call in running if call.open.method in ASKING] or running[:1]

    def _call(self, about: int) -> Exchange | None:
        """Stdio does not say which call a message belongs to; a child serves one client, so the oldest may carry it."""
        return self._calls.get(about) or next(iter(self._calls.values()), None)

    def _notified(self, method: str, params: bytes, about: int) -> None:
        if method == "notifications/progress":
            self._progressed(params)
        elif method == "notifications/cancelled":
            self._questions.withdraw(params)
        elif method == "notifications/message":
            if about in self._calls or not self._peer.is_shared:
                self._logged(params, self._tasks.asked_by(params) or self._call(about))
        elif not self._tasks.told(method, params):
            self._announced(method, params)

    def _logged(self, params: bytes, call: Exchange | None) -> None:
        if call is None:
            for session in self._peer.sessions():
                session.channel.append(Kind.LOG, params)
        elif not is_modern(call.open.revision) or (call.open.log_level and is_loud_enough(params, call.open.log_level)):
            call.append(Kind.LOG, params)

    def _progressed(self, params: bytes) -> None:
        token = msgspec.json.decode(params or b"{}", type=_Progress).token
        call = self._calls.get(token) if isinstance(token, int) else None
        if call is not None and call.open.wants_progress:
            members = m.decode_members(params)
            members.pop("progressToken", None)
            call.append(Kind.PROGRESS, m.encode(members))

    def _announced(self, method: str, params: bytes) -> None:
        """A change of lists or resources, or something unknown: to every session, and to whoever listens for it."""
        for session in self._peer.sessions():
            session.channel.append(Kind.NOTIFICATION, params, method)
        self._listeners.announced(method, params)

    def oversized(self, head: bytes, limit: int) -> None:
        if not self._tasks.oversized(head, limit):
            m.refuse_oversized(self._calls, head, limit, self._peer.settled)
