"""InputRequiredResult toward a modern client, whichever era the hosted server is of (2026-07-28 basic/patterns/mrtr).

A modern server's own result passes with its state sealed in ours. A legacy server's questions, asked in the middle of a
call, are collected into one such result; the call is parked, and the sealed state says where.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec

from hosting.runner.control import Answer
from hosting.runner.frames import TERMINAL, Event, Kind
from hosting.runner.upstream.capabilities import lacking
from hosting.runner.upstream.on_site import is_on_site
from hosting.stream.stream import RunnerLink
from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.sealed.request_state import NATIVE_SECONDS, PARKED_SECONDS, Native, Parked, State, States, binding
from mcp_endpoint.sources import Source
from mcp_endpoint.wire import jsonrpc as j

TOGETHER_SECONDS: Final = 0.025  # questions that come within this time of each other are asked together
MARK: Final = b'"input_required"'  # stands in every result that asks for something
_QUESTIONS: Final = frozenset({Kind.INPUT_REQUESTED, Kind.INPUT_ANSWERED})

# "Supported Requests": only these may be answered with an InputRequiredResult.
_MAY_ASK: Final = frozenset({"tools/call", "prompts/get", "resources/read"})

Where = Callable[[], tuple[RunnerLink, str, str]]
"""() -> (link, runner address, exchange id) of the call."""


class _Request(msgspec.Struct):
    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"{}")


class _Head(msgspec.Struct):
    kind: str = msgspec.field(name="resultType", default="")
    state: str = msgspec.field(name="requestState", default="")
    requests: dict[str, _Request] = msgspec.field(name="inputRequests", default_factory=dict)


_decode_head = msgspec.json.Decoder(_Head).decode


class Questions:
    """A Source whose every outcome may stand in a response: questions come out as a RESULT event.

    `seen`: events up to that number have been shown in an earlier round; of them only questions still matter.
    """

    def __init__(
        self, inner: Source, message: ModernCall, states: States, owner: str, where: Where, *, seen: int = 0
    ) -> None:
        self._inner = inner
        self._message = message
        self._states = states
        self._owner = owner
        self.where = where
        self._seen = seen
        self._last = seen
        self._held: deque[Event] = deque()
        self._open: dict[str, Event] = {}
        self._is_parked = False

    async def get(self, seconds: float) -> Event | None:
        while True:
            if self._held and not _is_question(self._held[0]):
                return self._held.popleft()
            if self._open and not self._held:
                return self._park()
            event = self._held.popleft() if self._held else await self._inner.get(seconds)
            if event is None:
                return None
            if _is_question(event):
                await self._collect(event)
            elif (shown := self._shown(event)) is not None:
                return shown

    def get_now(self) -> Event | None:
        if self._held or self._open:
            return None
        while (event := self._inner.get_now()) is not None:
            if _is_question(event):
                self._held.append(event)
                return None
            if (shown := self._shown(event)) is not None:
                return shown
        return None

    def close(self, *, gone: bool) -> None:
        self._inner.close(gone=gone and not self._is_parked)

    def _shown(self, event: Event) -> Event | None:
        """What the client is to see of an event that is no question."""
        self._last = max(self._last, event.seq)
        if event.kind is Kind.RESULT and MARK in event.data:
            return self._native(event)
        if event.seq <= self._seen and event.kind not in TERMINAL:
            return None
        return event

    async def _collect(self, event: Event | None) -> None:
        """Take questions until none has come for a moment; what else comes meanwhile is held for later."""
        while event is not None:
            self._last = max(self._last, event.seq)
            if event.kind is Kind.INPUT_ANSWERED:
                self._open.pop(event.extra, None)
            elif event.kind is not Kind.INPUT_REQUESTED or is_on_site(event.extra):
                if (shown := self._shown(event)) is not None:
                    self._held.append(shown)
                if event.kind in TERMINAL:
                    self._open.clear()
                    return
            elif self._message.method in _MAY_ASK:
                self._open[event.extra] = event
            else:
                await self._refuse(event.extra)
            event = await self._inner.get(TOGETHER_SECONDS)

    async def _refuse(self, key: str) -> None:
        link, _, exchange = self.where()
        error = j.error_object(j.METHOD_NOT_FOUND, f"The client can't be asked anything during {self._message.method}")
        await link.ask(Answer(owner=self._owner, key=key, exchange=exchange, error=error))

    def _park(self) -> Event:
        self._is_parked = True
        _, address, exchange = self.where()
        after = min(event.seq for event in self._open.values()) - 1
        state = Parked(time.time() + PARKED_SECONDS, exchange, address, after, self._last)
        requests = {key: msgspec.Raw(event.data) for key, event in self._open.items()}
        body = {"resultType": "input_required", "inputRequests": requests, "requestState": self._seal(state)}
        return Event(self._last, Kind.RESULT, j.encode(body))

    def _native(self, event: Event) -> Event:
        """A modern server's InputRequiredResult: its state sealed, or an error where it must not ask."""
        try:
            head = _decode_head(event.data)
        except (msgspec.DecodeError, RecursionError):
            return event
        if head.kind != "input_required":
            return event
        if self._message.method not in _MAY_ASK:
            words = f"The hosted server asked for input during {self._message.method}, which it must not"
            return Event(event.seq, Kind.ERROR, j.error_object(j.INTERNAL_ERROR, words))
        missing = self._missing(head)
        if missing:
            words = "The hosted server needs a capability that the client does not declare"
            error = j.error_object(j.MISSING_CAPABILITY, words, {"requiredCapabilities": missing})
            return Event(event.seq, Kind.ERROR, error)
        members = j.decode_members(event.data)
        if not head.state or members is None:
            return event
        members["requestState"] = msgspec.Raw(j.encode(self._seal(Native(time.time() + NATIVE_SECONDS, head.state))))
        return Event(event.seq, event.kind, j.encode(members))

    def _missing(self, head: _Head) -> dict[str, Any]:
        """2026-07-28 basic/index (_meta) and basic/patterns/mrtr: no request for what the client did not declare."""
        missing: dict[str, Any] = {}
        for request in head.requests.values():
            for name, parts in lacking(request.method, bytes(request.params), self._message.capabilities).items():
                missing.setdefault(name, {}).update(parts)
        return missing

    def _seal(self, state: State) -> str:
        return self._states.seal(state, binding(self._owner, self._message.method, self._message.params))


def _is_question(event: Event) -> bool:
    """Whether it is one for the client; what is shown on the site is not."""
    return event.kind in _QUESTIONS and not is_on_site(event.extra)
