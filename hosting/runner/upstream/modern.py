"""The conversation with a child that speaks a stateless revision (2026-07-28) over stdio.

Each request carries the client's own revision data in `_meta`. A modern client's InputRequiredResult is handed through;
for a legacy client its questions become `input_requested` events and the answers a retry with `inputResponses`.
Legacy methods that have no modern form are answered here: `initialize` from `server/discover`, `logging/setLevel` and
`resources/subscribe` from the session's own state and one listen request per child.
Source: specification 2026-07-28 basic/index (_meta), basic/patterns/mrtr, basic/patterns/subscriptions.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hosting.questions.judging import MARK, NOT_ASKED, plain
from hosting.runner.exchange import Exchange
from hosting.runner.frames import Kind
from hosting.runner.listening import ACKNOWLEDGED, Filter, wanted_by
from hosting.runner.session import Session
from hosting.runner.upstream import messages as m
from hosting.runner.upstream import on_site
from hosting.runner.upstream.base import Client, Peer, is_modern, session_of
from hosting.runner.upstream.discovery import decode_discovery
from hosting.runner.upstream.modern_meta import meta_members, request_meta, subscription_split
from hosting.runner.upstream.modern_tasks import ModernTasks, offers_tasks, with_extension
from hosting.runner.upstream.pages import ONLY_URL, fail
from hosting.runner.upstream.rounds import Rounds, missing_in
from hosting.runner.upstream.subscriptions import Subscriptions


def _plain(params: bytes) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(params or b"{}", type=dict[str, Any])
    return decoded


class ModernUpstream:
    """One modern child. Made after its DiscoverResult; `discover_result` is the child's raw answer."""

    era = "modern"

    def __init__(self, peer: Peer, client: Client, discover_result: bytes) -> None:
        self._peer = peer
        self._client = client
        self._discovery = decode_discovery(discover_result)
        self.revision = self._discovery.revision
        self._calls: dict[int, Exchange] = {}
        self._rounds = Rounds(peer, self)
        self._subscriptions = Subscriptions(peer, self, self._discovery.announces())
        self._tasks = ModernTasks(peer, self, is_offered=offers_tasks(bytes(self._discovery.capabilities)))

    # --- toward the child

    def submit(self, exchange: Exchange) -> None:
        opened = exchange.open
        if not is_modern(opened.revision) and self._answered_here(exchange):
            self._peer.settled(exchange)
            return
        wanted = wanted_by(opened.params) if exchange.listening else None
        if wanted is not None:
            self._subscriptions.add(exchange, wanted)
        else:
            self.send(exchange, opened.params)

    def send(self, exchange: Exchange, params: bytes) -> None:
        """The exchange's request, under a new number and with these parameters."""
        opened = exchange.open
        number = exchange.number = self._peer.next_id()
        session = session_of(self._peer, exchange)
        level = session.log_level if session is not None else opened.log_level
        info = self._teller(exchange, session)[1]
        capabilities = self.capabilities_of(exchange)
        meta = meta_members(self.revision, info, self._tasks.declared(exchange, capabilities))
        if opened.wants_progress:
            meta += b',"progressToken":%d' % number
        if level:
            meta += b',"%blogLevel":%b' % (m.META.encode(), m.encode(level))
        if opened.trace:
            meta += b',"traceparent":%b' % m.encode(opened.trace)
        self._calls[number] = exchange
        self._peer.write(m.request(number, m.encode(opened.method), m.with_meta_members(params, meta)))

    def _teller(self, exchange: Exchange, session: Session | None) -> tuple[bytes, bytes]:
        """The capabilities and the Implementation of the client that the call is for, raw."""
        opened = exchange.open
        if session is not None:
            return session.capabilities, session.client or self._client.info
        return opened.capabilities or b"{}", opened.client or self._client.info

    def declared_of(self, exchange: Exchange) -> bytes:
        return self._teller(exchange, session_of(self._peer, exchange))[0]

    def capabilities_of(self, exchange: Exchange) -> bytes:
        """With what its user is asked for on the site."""
        declared = self.declared_of(exchange)
        return on_site.told(declared) if self._is_on_site(exchange) else declared

    def _is_on_site(self, exchange: Exchange) -> bool:
        return bool(self._client.declared) and exchange.open.method == on_site.CALL

    def ask_of_task(self, exchange: Exchange | None, method: str, params: dict[str, Any]) -> int:
        number = self._peer.next_id()
        capabilities, info = self._client.capabilities, self._client.info
        if exchange is not None:
            capabilities = self.capabilities_of(exchange)
            info = self._teller(exchange, session_of(self._peer, exchange))[1]
        meta = meta_members(self.revision, info, with_extension(capabilities))
        self._peer.write(m.request(number, m.encode(method), m.with_meta_members(m.encode(params), meta)))
        return number

    def _answered_here(self, exchange: Exchange) -> bool:
        """Legacy methods without a modern form."""
        opened, session = exchange.open, session_of(self._peer, exchange)
        if opened.method == "initialize":
            exchange.succeed(self._discovery.initialize_result(opened.revision, self._peer.label))
            self._subscriptions.refresh()
        elif opened.method == "ping":
            exchange.succeed(b"{}")
        elif opened.method == "logging/setLevel":
            if session is not None:
                session.log_level = str(
                    msgspec.json.decode(opened.params or b"{}", type=dict[str, Any]).get("level", "")
                )
            exchange.succeed(b"{}")
        elif opened.method in ("resources/subscribe", "resources/unsubscribe"):
            uri = str(_plain(opened.params).get("uri", ""))
            if session is not None:
                change = (
                    session.subscriptions.add if opened.method.endswith("/subscribe") else session.subscriptions.discard
                )
                change(uri)
            self._subscriptions.refresh()
            exchange.succeed(b"{}")
        else:
            return False
        return True

    def listen(self, number: int, wanted: Filter) -> None:
        """The child's one listen request, under this number."""
        params = m.encode({"notifications": wanted, "_meta": request_meta(self.revision, self._client)})
        self._peer.write(m.request(number, b'"subscriptions/listen"', params))

    def answer(self, exchange: Exchange | None, key: str, *, result: bytes, error: bytes) -> bool:
        answered = self._rounds.answer(key, result=result, error=error)
        return answered or self._tasks.answer(key, result=result, error=error)

    def cancel(self, exchange: Exchange, reason: str) -> None:
        self._rounds.drop(exchange)
        if self._subscriptions.remove(exchange):
            return
        if not self._tasks.cancel(exchange) and self._calls.pop(exchange.number, None) is not None:
            body: dict[str, Any] = {"requestId": exchange.number}
            if reason:
                body["reason"] = reason
            self._peer.write(m.notification("notifications/cancelled", m.encode(body)))

    def notify(self, session: Session, method: str, params: bytes) -> None:
        """No notification of a client has a modern form; capabilities travel with each request."""

    @property
    def has_open_questions(self) -> bool:
        return bool(self._rounds) or self._tasks.has_open_questions

    def adopted(self) -> None:
        self._subscriptions.adopted()
        self._tasks.adopted()

    # --- from the child

    def received(self, message: m.Message, about: int = 0) -> None:
        if isinstance(message.method, str):
            params = b"" if message.params is msgspec.UNSET else bytes(message.params)
            if message.id is msgspec.UNSET:
                self._notified(message.method, params, about)
            else:
                self._peer.note(f"sent the request {message.method!r}, which a modern server must not do")
                refusal = m.error_body(m.METHOD_NOT_FOUND, "Requests to the client travel in InputRequiredResult")
                self._peer.write(m.response(message.id, error=refusal))
            return
        exchange = self._calls.pop(message.id, None) if isinstance(message.id, int) else None
        if exchange is None:
            self._answered_otherwise(message)
        elif message.error is not msgspec.UNSET:
            error = bytes(message.error)
            if self._tasks.is_needed(exchange, error):
                self.send(exchange, exchange.open.params)
            else:
                self.ended(exchange, error=error)
        elif message.result is msgspec.UNSET:
            exchange.refuse("The hosted server sent a response with neither result nor error")
            self._peer.settled(exchange)
        else:
            self._answered(exchange, bytes(message.result))

    def _answered(self, exchange: Exchange, result: bytes) -> None:
        """A result that may be a question or a task instead. What has become a task asks by its record."""
        result = plain(result)
        if words := self._peer.judge.of_outcome(self._peer.id, result):
            self._not_asked(exchange, words)
            return
        if MARK in result and not self._passes(exchange, result) and self._asks(exchange, result):
            return
        number = exchange.number
        if self._tasks.created(exchange, result):
            if not exchange.is_done:
                self._calls[number] = exchange  # what it still says of that call is passed on
            return
        self.ended(exchange, result=subscription_split(result)[1] if exchange.listening else result)

    def ended(self, exchange: Exchange, *, result: bytes = b"", error: bytes = b"") -> None:
        """Its outcome."""
        result = plain(result)
        if words := self._peer.judge.of_outcome(self._peer.id, result, error):
            self._not_asked(exchange, words)
            return
        if error:
            fail(exchange, error, self.declared_of(exchange))
        else:
            exchange.succeed(result)
        self._peer.settled(exchange)

    def _not_asked(self, exchange: Exchange, words: str) -> None:
        exchange.refuse(words, data=NOT_ASKED)
        self._peer.settled(exchange)

    def let_go(self, exchange: Exchange) -> None:
        self._calls.pop(exchange.number, None)

    def _answered_otherwise(self, message: m.Message) -> None:
        """An answer to a request of our own, or to one that is over."""
        if self._subscriptions.owns(message.id):
            self._listen_ended(message)
        elif self._tasks.owns(message.id):
            self._tasks.answered(message)
        elif message.result is msgspec.UNSET or not self._tasks.came_late(bytes(message.result)):
            self._peer.note(f"answered a request that is not open: id {message.id!r}")

    def _listen_ended(self, message: m.Message) -> None:
        assert isinstance(message.id, int)
        if message.error is not msgspec.UNSET:
            self._subscriptions.answered(message.id, error=bytes(message.error))
        else:
            result = b"" if message.result is msgspec.UNSET else subscription_split(bytes(message.result))[1]
            self._subscriptions.answered(message.id, result=result)

    def _passes(self, exchange: Exchange, result: bytes) -> bool:
        """Whether its client takes an InputRequiredResult as it is."""
        if exchange.task or not exchange.open.native_input:
            return False
        missing = missing_in(result, self.declared_of(exchange))
        return not missing or (missing != ONLY_URL and not self._is_on_site(exchange))

    def _asks(self, exchange: Exchange, result: bytes) -> bool:
        return self._rounds.begin(exchange, result, self.capabilities_of(exchange), self.declared_of(exchange))

    def _notified(self, method: str, params: bytes, about: int) -> None:
        if method == "notifications/progress":
            members = m.decode_members(params or b"{}")
            token = members.pop("progressToken", msgspec.Raw(b"null"))
            call = self._calls.get(int(bytes(token))) if bytes(token).isdigit() else None
            if call is not None and call.open.wants_progress:
                call.append(Kind.PROGRESS, m.encode(members))
        elif method == "notifications/message":
            call = self._calls.get(about) or self._logging_call()
            if call is not None:
                call.append(Kind.LOG, params)
        else:
            self._announced(method, params)

    def _logging_call(self) -> Exchange | None:
        """Stdio does not link a log line to its request: only where exactly one call can be meant is it passed on."""
        calls = [call for call in self._calls.values() if not call.listening]
        if len(calls) == 1:
            return calls[0]
        return None if self._peer.is_shared or not calls else calls[0]

    def _announced(self, method: str, params: bytes) -> None:
        subscription, plain = subscription_split(params)
        if self._subscriptions.owns(subscription):
            if method == ACKNOWLEDGED:
                self._subscriptions.acknowledged(subscription, plain)
            else:
                self._subscriptions.announced(subscription, method, plain if plain != b"{}" else b"")
            return
        if self._tasks.owns(subscription):
            if method == ACKNOWLEDGED:
                self._tasks.acknowledged(subscription, plain)
            else:
                self._tasks.announced(subscription, method, plain)
            return
        exchange = self._calls.get(subscription)
        if exchange is not None and method == ACKNOWLEDGED:
            exchange.acknowledge(plain)
        elif exchange is not None:
            exchange.append(Kind.NOTIFICATION, plain, method)

    def oversized(self, head: bytes, limit: int) -> None:
        if not self._tasks.oversized(head, limit):
            m.refuse_oversized(self._calls, head, limit, self._peer.settled)
