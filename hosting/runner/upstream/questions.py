"""What a legacy child has asked its client and has not been answered yet.

Each of its requests becomes an `input_requested` event under a key of ours, in the log of the call it belongs to, or in
the session's channel when no call runs. Nobody is asked for what the client did not offer, and no question waits for
ever: once its call is over, or outside of any, it is refused after the deployment's time for questions.

Over stdio a request does not say which call it belongs to. With one call running there is no doubt; a related task, or
a remote's stream, says it. Otherwise a call is chosen (`chosen`), the question says in its `_meta` that it was, and it
moves on to another call when that one ends or is cancelled first. The answer reaches the server all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hosting.runner.exchange import Exchange
from hosting.runner.frames import Kind
from hosting.runner.upstream import messages as m
from hosting.runner.upstream import on_site
from hosting.runner.upstream.agenda import Agenda
from hosting.runner.upstream.asked_tasks import METHODS, AskedTasks, without_task
from hosting.runner.upstream.base import Client, Peer, is_modern
from hosting.runner.upstream.capabilities import lacking
from hosting.runner.upstream.pages import wanted_by, words_of


class _Cancelled(msgspec.Struct):
    request: int | str | float | None = msgspec.field(name="requestId", default=None)


class Question:
    """`candidates`: the calls that it may belong to, where that is not known; `asked_by` is one of them."""

    def __init__(self, request_id: Any, body: bytes, candidates: Sequence[Exchange], *, is_held: bool) -> None:
        self.request_id = request_id
        self.body = body
        self.candidates = list(candidates)
        self.asked_by = chosen(self.candidates)
        self.is_held = is_held  # as a task: the child has its answer, and comes back
        self.wanted: msgspec.Raw | None = None  # `task`, as the client was asked with it


def chosen(candidates: Sequence[Exchange]) -> Exchange | None:
    """Most likely the one that asks: one without an open question, since most calls wait for their answer; rather one
    whose client is waiting, since it is there to answer; the oldest."""
    order = sorted(candidates, key=lambda call: (bool(call.questions), bool(call.task)))
    return order[0] if order else None


class Questions:
    """The open questions of one child."""

    def __init__(self, peer: Peer, client: Client) -> None:
        self._peer = peer
        self._capabilities = client.capabilities
        self._declared = client.declared
        self._open: dict[str, Question] = {}
        self._tasks = AskedTasks(peer, client.capabilities)
        self._agenda = Agenda(self)
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._open)

    def ask(self, request_id: Any, method: str, params: bytes, candidates: Sequence[Exchange]) -> None:
        """Put a request of the child to its client."""
        if method in METHODS and self._tasks.takes(method, params):
            if withdrawn := self._tasks.serve(request_id, method, params):
                self._close(withdrawn)
            return
        if words := self._refusal(method, params):
            self._refuse(request_id, *words)
            return
        is_shown_here = self._is_on_site(method, params)
        candidates = self._askers(method, params, candidates, is_shown_here=is_shown_here)
        if not candidates and (is_shown_here or not self._peer.sessions()):
            self._refuse(request_id, m.METHOD_NOT_FOUND, f"No call is running that {method} could belong to")
            return
        plain, wanted = without_task(params)
        asked_by = chosen(candidates)
        is_relayed = wanted is not None and self._tasks.relays(method, asked_by)
        is_held = wanted is not None and not is_relayed and self._tasks.is_offered(method)
        if len(candidates) > 1:
            note = {m.GUESSED: f"one of {len(candidates)} running calls"}
            plain, params = m.with_meta(plain, note), m.with_meta(params, note)
        self._count += 1
        key = on_site.key_of(f"q{self._count}", on_site=is_shown_here)
        shown = params if is_relayed else plain
        body = b'{"method":%s,"params":%s}' % (m.encode(method), shown or b"{}")
        question = self._open[key] = Question(request_id, body, candidates, is_held=is_held)
        question.wanted = wanted if is_relayed else None
        if is_held and wanted is not None:
            self._tasks.hold(request_id, key, wanted)
        if question.asked_by is not None:
            question.asked_by.ask(key, body)
        else:
            self._peer.sessions()[0].channel.append(Kind.INPUT_REQUESTED, body, key)
        self._agenda.put(key, self._peer.question_seconds)

    def _askers(
        self, method: str, params: bytes, candidates: Sequence[Exchange], *, is_shown_here: bool
    ) -> Sequence[Exchange]:
        if method in METHODS:  # the client has that task
            call = self._tasks.call_of(params)
            return [call] if call is not None else []
        if is_shown_here:  # for which the call has to become a task
            return [call for call in candidates if call.task or call.open.method == on_site.CALL]
        return candidates

    def _is_on_site(self, method: str, params: bytes) -> bool:
        return bool(self._declared) and bool(lacking(method, params, self._declared))

    def _refusal(self, method: str, params: bytes) -> tuple[int, str] | None:
        """Code and words of the error for what its client did not offer."""
        if self._peer.is_shared:
            return m.METHOD_NOT_FOUND, f"The client does not offer {method}. {self._linked(method, params)}".rstrip()
        if method in METHODS:
            words = self._tasks.lacking(method)
            return (m.METHOD_NOT_FOUND, words) if words else None
        missing = lacking(method, params, self._capabilities)
        if not missing:
            refused = self._peer.judge.of_question(self._peer.id, method, params)
            return (m.INVALID_PARAMS, refused) if refused else None
        # 2025-11-25 client/elicitation, "Error Handling": another code where only the mode is not offered.
        is_partial = any(missing.values()) and not lacking(method, b"{}", self._capabilities)
        code = m.INVALID_PARAMS if is_partial else m.METHOD_NOT_FOUND
        lacks = f"The client does not offer {method}: it lacks {m.encode(missing).decode()}."
        return code, f"{lacks} {self._linked(method, params)}".rstrip()

    def _linked(self, method: str, params: bytes) -> str:
        """What servers put into a failed tool's text is what they are answered: so people find the page all the same,
        where it is one that they may be sent to."""
        wanted = wanted_by(method, params)
        if wanted is None:
            return ""
        return self._peer.judge.of_question(self._peer.id, method, params) or words_of([wanted])

    # --- answers

    def answer(self, key: str, *, result: bytes, error: bytes) -> bool:
        """Pass an answer on; False when the question is not open any more."""
        question = self._pop(key)
        if question is None:
            return False
        if question.wanted is not None and result:
            is_task = self._tasks.taken_by_client(result, question.asked_by)
            if not is_task:  # the child is to find it as a task all the same
                self._tasks.hold(question.request_id, key, question.wanted)
        if not self._tasks.answered(key, result=result, error=error):
            answer = m.response(question.request_id, result=result, error=error)
            self._peer.write(answer)
        if question.asked_by is not None:
            question.asked_by.answered(key)
        return True

    def withdraw(self, params: bytes) -> None:
        """`notifications/cancelled` of the child: it does not want to know any more."""
        withdrawn = msgspec.json.decode(params or b"{}", type=_Cancelled).request
        for key, question in list(self._open.items()):
            if question.request_id == withdrawn and not question.is_held:
                self._close(key)

    def _pop(self, key: str) -> Question | None:
        self._agenda.drop(key)
        return self._open.pop(key, None)

    def _close(self, key: str) -> None:
        question = self._pop(key)
        if question is not None and question.asked_by is not None:
            question.asked_by.answered(key)

    # --- its call

    def drop(self, exchange: Exchange) -> None:
        """Its call was cancelled."""
        for key, question in list(self._open.items()):
            if question.asked_by is exchange and not self._moved(key, question):
                self._pop(key)
                self._deny(key, question, "The call that this question belonged to was cancelled")

    def ended(self, exchange: Exchange) -> None:
        """Its call is over: a question that is still open was another one's, if there is another."""
        for key, question in list(self._open.items()):
            if question.asked_by is exchange:
                self._moved(key, question)

    def _moved(self, key: str, question: Question) -> bool:
        """Whether the question may belong to a further call, which has it from now on."""
        before = question.asked_by
        question.candidates = [call for call in question.candidates if call is not before and not call.is_done]
        following = chosen(question.candidates)
        if before is None or following is None:
            return False
        before.questions.discard(key)
        question.asked_by = following
        if _is_waiting(before) and _is_waiting(following) and before.session == following.session:
            following.questions.add(key)  # its client was asked, and has it on another of its streams
        else:
            following.ask(key, question.body)
        return True

    # --- time

    def adopted(self) -> None:
        """After a restart of the runner in place."""
        self._agenda.adopted()

    def due(self, names: list[str]) -> None:
        for key in names:
            question = self._open.get(key)
            if question is None:
                continue
            call = question.asked_by
            # One that no client is shown waits as long as it takes on a task's page, and nowhere else.
            if call is not None and not call.is_done and (call.task or not on_site.is_on_site(key)):
                self._agenda.put(key, self._peer.question_seconds)
            else:
                self._pop(key)
                self._deny(key, question, "The client did not answer in time")

    def _deny(self, key: str, question: Question, message: str) -> None:
        if not self._tasks.refused(key, m.error_body(m.INTERNAL_ERROR, message)):
            self._refuse(question.request_id, m.INTERNAL_ERROR, message)

    def _refuse(self, request_id: Any, code: int, message: str) -> None:
        self._peer.write(m.response(request_id, error=m.error_body(code, message)))


def _is_waiting(call: Exchange) -> bool:
    """Whether it is a handshake client's call, which hears requests on any of its streams."""
    return not call.task and not is_modern(call.open.revision)
