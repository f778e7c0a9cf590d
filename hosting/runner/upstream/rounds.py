"""A modern child's InputRequiredResults, asked one by one of a client that knows no such thing.

Each of its requests becomes an `input_requested` event under a key of ours; once all of a round are answered, the call
is sent again with `inputResponses`. Nobody is asked for what the client did not declare.
Source: 2026-07-28 basic/patterns/mrtr.
"""

from __future__ import annotations

import secrets
from typing import Any, Protocol

import msgspec

from hosting.runner.exchange import Exchange
from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import Peer
from hosting.runner.upstream.capabilities import lacking
from hosting.runner.upstream.on_site import key_of
from hosting.runner.upstream.pages import refuse_missing

MAX_ROUNDS = 20


class _InputRequired(msgspec.Struct):
    kind: str = msgspec.field(name="resultType", default="complete")
    requests: dict[str, msgspec.Raw] = msgspec.field(name="inputRequests", default_factory=dict)
    state: msgspec.Raw = msgspec.field(name="requestState", default=msgspec.Raw(b""))


class _Question(msgspec.Struct):
    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"{}")


class _Round:
    """The questions of one InputRequiredResult, until all are answered."""

    def __init__(self, exchange: Exchange, required: _InputRequired) -> None:
        self.exchange = exchange
        self.state = required.state
        self.names: dict[str, str] = {}  # our key -> the server's
        self.responses: dict[str, msgspec.Raw] = {}


class Sends(Protocol):
    """The child, as far as it is needed here."""

    def send(self, exchange: Exchange, params: bytes) -> None:
        """Send a call again, with other parameters."""


class Rounds:
    """The open questions of one child. Plain data beside it, so that a restart of the runner can write it down."""

    def __init__(self, peer: Peer, child: Sends) -> None:
        self._peer = peer
        self._child = child
        self._open: dict[str, _Round] = {}  # our key -> its round
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._open)

    def begin(self, exchange: Exchange, result: bytes, capabilities: bytes, declared: bytes) -> bool:
        """Ask what `result` asks for, if it asks for anything; False when it is the outcome.

        `capabilities` are what the child was told, `declared` what its client can show: a round with anything else is
        asked on the site.
        """
        required = msgspec.json.decode(result, type=_InputRequired)
        if required.kind != "input_required":
            return False
        missing = missing_of(required.requests, capabilities)
        if missing:
            refuse_missing(self._peer, exchange, missing, required.requests)
        elif not required.requests:
            self._retry(exchange, required.state, {})
        else:
            is_shown_here = bool(missing_of(required.requests, declared))
            self._ask(_Round(exchange, required), required, is_shown_here=is_shown_here)
        return True

    def _ask(self, round_: _Round, required: _InputRequired, *, is_shown_here: bool) -> None:
        for name in required.requests:
            self._count += 1
            key = key_of(f"q{self._count}", on_site=is_shown_here)
            round_.names[key] = name
            self._open[key] = round_
        for key, name in list(round_.names.items()):
            round_.exchange.ask(key, legacy_question(key, bytes(required.requests[name])))

    def answer(self, key: str, *, result: bytes, error: bytes) -> bool:
        """Take an answer; False when the question is not open any more."""
        found = self._open.pop(key, None)
        if found is None:
            return False
        name = found.names.pop(key)
        if error:
            for other in found.names:
                self._open.pop(other, None)
            found.exchange.answered(key)
            found.exchange.refuse(f"The client could not answer {name!r}", data=msgspec.Raw(error))
            self._peer.settled(found.exchange)
            return True
        found.responses[name] = msgspec.Raw(result)
        found.exchange.answered(key)
        if not found.names:
            self._retry(found.exchange, found.state, found.responses)
        return True

    def _retry(self, exchange: Exchange, state: msgspec.Raw, responses: dict[str, msgspec.Raw]) -> None:
        exchange.rounds += 1
        if exchange.rounds > MAX_ROUNDS:
            exchange.refuse(f"The hosted server asked for input more than {MAX_ROUNDS} times in one call")
            self._peer.settled(exchange)
            return
        members = m.decode_members(exchange.open.params) if exchange.open.params else {}
        members.pop("requestState", None)
        if responses:
            members["inputResponses"] = msgspec.Raw(m.encode(responses))
        if bytes(state):
            members["requestState"] = state
        self._child.send(exchange, m.encode(members))

    def drop(self, exchange: Exchange) -> None:
        """Its call was cancelled."""
        for key in [key for key, round_ in self._open.items() if round_.exchange is exchange]:
            del self._open[key]


def missing_of(requests: dict[str, msgspec.Raw], capabilities: bytes) -> dict[str, Any]:
    """The ClientCapabilities that these questions need and the raw `capabilities` lack; {} for none."""
    missing: dict[str, Any] = {}
    for raw in requests.values():
        question = msgspec.json.decode(raw, type=_Question)
        for name, parts in lacking(question.method, bytes(question.params), capabilities).items():
            missing.setdefault(name, {}).update(parts)
    return missing


def legacy_question(key: str, question: bytes) -> bytes:
    """2025-11-25 client/elicitation: a request to visit a URL has an id there, which 2026-07-28 does without."""
    if b'"url"' not in question:
        return question
    members = m.decode_members(question)
    params = m.decode_members(members["params"]) if "params" in members else {}
    if bytes(params.get("mode", b"")) == b'"url"' and "elicitationId" not in params:
        params["elicitationId"] = msgspec.Raw(m.encode(f"{key}-{secrets.token_urlsafe(12)}"))
        members["params"] = msgspec.Raw(m.encode(params))
    return m.encode(members)


def missing_in(result: bytes, capabilities: bytes) -> dict[str, Any]:
    """The same of an InputRequiredResult; {} where it is none."""
    required = msgspec.json.decode(result, type=_InputRequired)
    return missing_of(required.requests, capabilities) if required.kind == "input_required" else {}
