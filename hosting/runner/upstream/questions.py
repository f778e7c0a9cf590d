"""What a legacy child has asked its client and has not been answered yet.

Each of its requests becomes an `input_requested` event under a key of ours, in the log of the call it belongs to, or in
the session's channel when no call runs. Nobody is asked for what the client did not offer, and no question waits for
ever: once its call is over, or outside of any, it is refused after the deployment's time for questions.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from hosting.runner.exchange import Exchange
from hosting.runner.frames import Kind
from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import Client, Peer
from hosting.runner.upstream.capabilities import lacking


class _Cancelled(msgspec.Struct):
    request: int | str | float | None = msgspec.field(name="requestId", default=None)


class Questions:
    """The open questions of one child."""

    def __init__(self, peer: Peer, client: Client) -> None:
        self._peer = peer
        self._capabilities = client.capabilities
        self._open: dict[str, tuple[Any, Exchange | None]] = {}
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._open)

    def ask(self, request_id: Any, method: str, params: bytes, asked_by: Exchange | None) -> None:
        """Put a request of the child to its client. `asked_by` is the call it is taken to belong to."""
        sessions = self._peer.sessions()
        if self._peer.is_shared:
            self._refuse(request_id, m.METHOD_NOT_FOUND, f"The client does not offer {method}")
            return
        if missing := lacking(method, params, self._capabilities):
            # 2025-11-25 client/elicitation, "Error Handling": another code where only the mode is not offered.
            is_partial = any(missing.values()) and not lacking(method, b"{}", self._capabilities)
            code = m.INVALID_PARAMS if is_partial else m.METHOD_NOT_FOUND
            self._refuse(request_id, code, f"The client does not offer {method}: it lacks {m.encode(missing).decode()}")
            return
        if asked_by is None and not sessions:
            self._refuse(request_id, m.METHOD_NOT_FOUND, f"No call is running that {method} could belong to")
            return
        self._count += 1
        key = f"q{self._count}"
        question = b'{"method":%s,"params":%s}' % (m.encode(method), params or b"{}")
        self._open[key] = (request_id, asked_by)
        if asked_by is not None:
            asked_by.ask(key, question)
        else:
            sessions[0].channel.append(Kind.INPUT_REQUESTED, question, key)
        self._wait(key)

    def answer(self, key: str, *, result: bytes, error: bytes) -> bool:
        """Pass an answer on; False when the question is not open any more."""
        found = self._open.pop(key, None)
        if found is None:
            return False
        request_id, asked_by = found
        self._peer.write(m.response(request_id, result=m.one_line(result), error=m.one_line(error)))
        if asked_by is not None:
            asked_by.answered(key)
        return True

    def drop(self, exchange: Exchange) -> None:
        """Its call was cancelled."""
        for key in [key for key, (_, asked_by) in self._open.items() if asked_by is exchange]:
            request_id, _ = self._open.pop(key)
            self._refuse(request_id, m.INTERNAL_ERROR, "The call that this question belonged to was cancelled")

    def withdraw(self, params: bytes) -> None:
        """`notifications/cancelled` of the child: it does not want to know any more."""
        withdrawn = msgspec.json.decode(params or b"{}", type=_Cancelled).request
        for key, (request_id, asked_by) in list(self._open.items()):
            if request_id == withdrawn:
                del self._open[key]
                if asked_by is not None:
                    asked_by.answered(key)

    def adopted(self) -> None:
        """After a restart of the runner in place each open question has its time again."""
        for key in self._open:
            self._wait(key)

    def _wait(self, key: str) -> None:
        asyncio.get_running_loop().call_later(self._peer.question_seconds, self._late, key)

    def _late(self, key: str) -> None:
        if key not in self._open:
            return
        request_id, asked_by = self._open[key]
        if asked_by is not None and not asked_by.is_done:
            self._wait(key)
            return
        del self._open[key]
        self._refuse(request_id, m.INTERNAL_ERROR, "The client did not answer in time")

    def _refuse(self, request_id: Any, code: int, message: str) -> None:
        self._peer.write(m.response(request_id, error=m.error_body(code, message)))
