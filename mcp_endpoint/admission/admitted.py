"""Further requests under a head that was let in: what their headers say is known, so only their bodies are read.

What may change between two requests is asked for every one: whether the token still stands, who may use the deployment,
where it runs, how much is in flight. A call whose result comes at once is answered without a task; whatever else
happens goes the ordinary way, from its beginning where nothing was sent yet and from the first event where it was.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, cast

import structlog

from mcp_endpoint.admission.auth import Principal
from mcp_endpoint.admission.limits import JSON_SECONDS
from mcp_endpoint.admission.places import Place
from mcp_endpoint.context import Context
from mcp_endpoint.legacy import calls as legacy_calls
from mcp_endpoint.legacy.messages import Call, LegacyPost
from mcp_endpoint.modern import calls as modern_calls
from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.modern.plain import reader_for
from mcp_endpoint.sources import Opened
from mcp_endpoint.wire import headers as h
from mcp_endpoint.wire.answer import Answer
from mcp_endpoint.wire.asgi import Cycle
from mcp_endpoint.wire.errors import telling
from mcp_endpoint.wire.inbound import classify

if TYPE_CHECKING:
    from mcp_endpoint.endpoint import Endpoint

log = structlog.get_logger(__name__)


class Admitted:
    """One head of a POST whose token was good. Implements mcp_endpoint.wire.asgi.Again."""

    __slots__ = ("_endpoint", "_fields", "_place", "_principal", "_reader")

    def __init__(self, endpoint: Endpoint, fields: h.Fields, place: Place, principal: Principal) -> None:
        self._endpoint = endpoint
        self._fields = fields
        self._place = place
        self._principal = principal
        self._reader = reader_for(fields)

    def __call__(self, cycle: Cycle, body: bytes) -> None:
        answer = Answer(cycle.receive, cycle.send, cycle.whole)
        try:
            call = self._begin(cycle, answer, body)
        except Exception:  # read again, it is told in the ordinary way
            call = None
        if call is None:
            cycle.run(self._endpoint.serve_known(answer, self._fields, self._place))
        else:
            call.wait()

    def _begin(self, cycle: Cycle, answer: Answer, body: bytes) -> QuickCall | None:
        """The call on its way; None, and nothing has been done, where it is not one for this way."""
        endpoint, principal = self._endpoint, self._principal
        inbound = self._read(body)
        if inbound is None or not endpoint.still_good(principal):
            return None
        route = endpoint.route_now(self._place)
        if route is None or route.is_personal:
            return None
        context = endpoint.context(answer, self._fields, self._place, principal, route)
        endpoint.note(answer, self._place, inbound, len(body))
        endpoint.enter(context, inbound)
        opened = None
        try:
            if isinstance(inbound, ModernCall):
                message: ModernCall | Call = inbound
                opened = modern_calls.open_now(context, inbound)
            else:
                message = cast("Call", inbound.messages[0])
                opened = legacy_calls.open_now(context, message)
        finally:
            if opened is None:
                endpoint.leave(context)
        return QuickCall(endpoint, cycle, context, message, opened) if opened is not None else None

    def _read(self, body: bytes) -> ModernCall | LegacyPost | None:
        """The request, when it is a single one that ends by itself."""
        message = self._reader.read(body) if self._reader is not None else None
        if message is not None:
            return message
        inbound = classify(self._fields, "", body)
        if isinstance(inbound, ModernCall):
            return inbound if inbound.method != modern_calls.LISTEN else None
        if isinstance(inbound, LegacyPost) and not inbound.is_batch:
            only = inbound.messages[0]
            return inbound if isinstance(only, Call) and only.method != "initialize" else None
        return None


class QuickCall:
    """A call that waits for its first event, without a task."""

    __slots__ = ("_context", "_cycle", "_endpoint", "_message", "_opened", "began")

    def __init__(
        self, endpoint: Endpoint, cycle: Cycle, context: Context, message: ModernCall | Call, opened: Opened
    ) -> None:
        self._endpoint = endpoint
        self._cycle = cycle
        self._context = context
        self._message = message
        self._opened = opened
        self.began = context.answer.began

    def wait(self) -> None:
        self._endpoint.patience.add(self)
        self._opened.attachment.when_here(self._arrived)

    def _arrived(self) -> None:
        self._endpoint.patience.remove(self)
        try:
            message = self._message
            if isinstance(message, ModernCall):
                is_done = modern_calls.finish_now(self._context, message, self._opened)
            else:
                is_done = legacy_calls.finish_now(self._context, message, self._opened)
        except Exception:
            log.exception("a result could not be passed on")
            is_done = False
        if is_done:
            self._ended()
        else:
            self._cycle.run(self._go_on(JSON_SECONDS))

    def late(self) -> None:
        self._opened.attachment.when_here(None)
        self._cycle.run(self._go_on(0.0))

    async def _go_on(self, seconds: float) -> None:
        try:
            await telling(self._context.answer, self._finish(seconds))
        finally:
            self._ended()

    def _ended(self) -> None:
        self._endpoint.leave(self._context)
        self._endpoint.ended(self._context.answer)

    def _finish(self, seconds: float) -> Coroutine[Any, Any, None]:
        message = self._message
        if isinstance(message, ModernCall):
            return modern_calls.finish(self._context, message, self._opened, seconds)
        return legacy_calls.finish(self._context, message, self._opened, seconds)
