"""What a modern client sees of a log: notifications of its own request, then the response. Pure."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from hosting.runner.frames import Event, Kind, Reason
from mcp_endpoint.streams import DRAINED
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.errors import status_of
from mcp_endpoint.wire.meta import META
from mcp_endpoint.wire.progress import StatusSteps, progress

_SUBSCRIPTION = META + "subscriptionId"
_STOPPING = "The site is restarting, and the call was cancelled. Call again."
_BROKEN = "The call was lost: the connection to its runner broke. Call again."


class CallView:
    """One call. Its streams can't be resumed, so its events have no ids."""

    is_stream = False
    comes_back = False
    polls = False

    def __init__(self, request_id: bytes, progress_token: bytes) -> None:
        self._id = request_id
        self._token = progress_token
        self._steps = StatusSteps()
        self.shows_status = bool(progress_token)

    def message(self, event: Event) -> bytes | None:
        kind = event.kind
        if kind is Kind.RESULT:
            return j.result(self._id, event.data)
        if kind is Kind.ERROR:
            return j.error(self._id, event.data)
        if kind is Kind.PROGRESS:
            return progress(self._token, event.data) if self._token else None
        if kind is Kind.STATUS:
            return self._steps.message(self._token, event.data) if self._token else None
        if kind is Kind.LOG:
            return j.notification("notifications/message", event.data)
        if kind is Kind.NOTIFICATION:
            return j.notification(event.extra, event.data)
        return None

    def event_id(self, event: Event) -> str:
        return ""

    def priming(self) -> bytes:
        return b""

    def pause(self) -> bytes:
        return b""

    def status(self, event: Event) -> int:
        return status_of(event.data) if event.kind is Kind.ERROR else 200

    def last_words(self, reason: str, detail: str, ended_by: str) -> bytes | None:
        if ended_by == DRAINED:
            return j.failure(self._id, j.INTERNAL_ERROR, _STOPPING, {"reason": ended_by})
        if ended_by or reason == Reason.DONE:
            return None
        message = detail if reason == Reason.BUSY else _BROKEN
        return j.failure(self._id, j.INTERNAL_ERROR, message, {"reason": reason})


class ToolsView(CallView):
    """`tools/list` that took its time. `shown` gives what the client may see of the result."""

    def __init__(self, request_id: bytes, progress_token: bytes, shown: Callable[[bytes], bytes]) -> None:
        super().__init__(request_id, progress_token)
        self._shown = shown

    def message(self, event: Event) -> bytes | None:
        if event.kind is Kind.RESULT:
            return j.result(self._id, self._shown(event.data))
        return super().message(event)


class ListenView(CallView):
    """`subscriptions/listen`: every message carries the subscription's id, which is the request's own."""

    is_stream = True
    comes_back = True

    def __init__(self, request_id: bytes) -> None:
        super().__init__(request_id, b"")

    def message(self, event: Event) -> bytes | None:
        if event.kind is Kind.NOTIFICATION:
            return j.notification(event.extra, self._tagged(event.data))
        if event.kind is Kind.RESULT:
            return j.result(self._id, self._tagged(event.data))
        return j.error(self._id, event.data) if event.kind is Kind.ERROR else None

    def last_words(self, reason: str, detail: str, ended_by: str) -> bytes | None:
        """2026-07-28 basic/patterns/subscriptions, "Graceful Closure": a result says that we ended it on purpose."""
        if ended_by == DRAINED:
            return j.result(self._id, self._tagged(b'{"resultType":"complete"}'))
        return super().last_words(reason, detail, ended_by)

    def _tagged(self, raw: bytes) -> bytes:
        members = (j.decode_members(raw) if raw else None) or {}
        meta = (j.decode_members(members["_meta"]) if "_meta" in members else None) or {}
        meta[_SUBSCRIPTION] = msgspec.Raw(self._id)
        members["_meta"] = msgspec.Raw(j.encode(meta))
        return j.encode(members)
