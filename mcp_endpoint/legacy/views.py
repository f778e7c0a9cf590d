"""What a legacy client sees of a log: requests, notifications and the response, each with an event id. Pure."""

from __future__ import annotations

from collections.abc import Callable

from hosting.runner.frames import UNDELIVERED, Event, Kind, Reason
from hosting.runner.upstream.on_site import is_on_site
from mcp_endpoint.admission.limits import RETRY_MILLISECONDS
from mcp_endpoint.legacy import event_ids
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire import sse
from mcp_endpoint.wire.progress import StatusSteps, progress
from mcp_endpoint.wire.revisions import POLLING

_LOST = "The call was lost: its runner was restarted or does not answer any more"


def server_message(event: Event) -> bytes | None:
    """A request or notification of the server's own; None for what is none."""
    if event.kind is Kind.INPUT_REQUESTED and not is_on_site(event.extra):
        return j.request(j.encode(event.extra), event.data)
    if event.kind is Kind.LOG:
        return j.notification("notifications/message", event.data)
    if event.kind is Kind.NOTIFICATION:
        return j.notification(event.extra, event.data)
    return None


class CallView:
    """A request's stream. `resumed_after`: the client has had the events up to that one. `shown` gives what the client
    may see of a result, None for all of it."""

    comes_back = True

    def __init__(
        self,
        request_id: bytes,
        progress_token: bytes,
        revision: str,
        *,
        resumed_after: int | None = None,
        shown: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.request_id = request_id
        self._shown = shown
        self._token = progress_token
        self._name = event_ids.stream_name(request_id, progress_token)
        self._steps = StatusSteps()
        self._after = resumed_after or 0
        self._is_primed = self.polls = revision in POLLING
        self.shows_status = bool(progress_token)
        self.is_stream = resumed_after is not None

    def message(self, event: Event) -> bytes | None:
        kind = event.kind
        if kind is Kind.RESULT:
            return j.result(self.request_id, self._shown(event.data) if self._shown else event.data)
        if kind is Kind.ERROR:
            return j.error(self.request_id, event.data)
        if kind is Kind.PROGRESS:
            return progress(self._token, event.data) if self._token else None
        if kind is Kind.STATUS:
            return self._steps.message(self._token, event.data) if self._token else None
        return server_message(event)

    def event_id(self, event: Event) -> str:
        self._after = event.seq
        return f"{self._name}:{event.seq}"

    def priming(self) -> bytes:
        return self.pause() if self._is_primed else sse.COMMENT

    def pause(self) -> bytes:
        return sse.priming(f"{self._name}:{self._after}", RETRY_MILLISECONDS)

    def status(self, event: Event) -> int:
        return 200

    def last_words(self, reason: str, detail: str, ended_by: str) -> bytes | None:
        """Nothing where the client may resume; otherwise the response that will not come from anywhere else."""
        if ended_by or reason in (Reason.CLOSED, Reason.DONE):
            return None
        message = f"The session has ended: {detail}" if reason == Reason.NO_SESSION else _LOST
        if reason == Reason.BUSY:
            message = detail
        return j.failure(self.request_id, j.INTERNAL_ERROR, message, {"reason": reason})


class ChannelView:
    """The session's own stream, which the client opens with GET."""

    is_stream = True
    shows_status = False
    comes_back = True

    def __init__(self, after: int, revision: str) -> None:
        self._after = after
        self.polls = revision in POLLING

    def message(self, event: Event) -> bytes | None:
        return server_message(event)

    def event_id(self, event: Event) -> str:
        self._after = event.seq
        return f"{event_ids.CHANNEL}:{event.seq}"

    def priming(self) -> bytes:
        return self.pause() if self.polls else sse.COMMENT

    def pause(self) -> bytes:
        is_new = self._after == UNDELIVERED
        return sse.priming(
            event_ids.CHANNEL_START if is_new else f"{event_ids.CHANNEL}:{self._after}", RETRY_MILLISECONDS
        )

    def status(self, event: Event) -> int:
        return 200

    def last_words(self, reason: str, detail: str, ended_by: str) -> bytes | None:
        return None
