"""One HTTP request, from its headers to the era that serves it: gate, path, token, route, method.

Classify, authenticate, look up, then open: an anonymous request learns nothing but the challenge, and whoever may not
use a deployment gets the same 404 as for one that does not exist.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from common.errors import NotFound
from mcp_endpoint.admission import anonymous
from mcp_endpoint.admission.admitted import Admitted
from mcp_endpoint.admission.anonymous import Visitors
from mcp_endpoint.admission.auth import Authenticator, Challenge, Principal, missing_scope
from mcp_endpoint.admission.limits import JSON_SECONDS, HeadersTooLargeError, read_body
from mcp_endpoint.admission.origin import Gate
from mcp_endpoint.admission.places import Place, Places, tell_challenge
from mcp_endpoint.admission.step_up import check_allowed
from mcp_endpoint.context import Context, Services
from mcp_endpoint.directory import Directory, Key
from mcp_endpoint.legacy import batches, calls, sessions, streams
from mcp_endpoint.legacy.messages import LegacyPost
from mcp_endpoint.modern import calls as modern_calls
from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.patience import Patience
from mcp_endpoint.personal.serving import served
from mcp_endpoint.records import metrics
from mcp_endpoint.records.asked import calls_in, id_of, lacking_of, series_of
from mcp_endpoint.records.writing import Records
from mcp_endpoint.wire import cors
from mcp_endpoint.wire import headers as h
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.answer import Answer
from mcp_endpoint.wire.asgi import KEEP, WHOLE, Keep, Receive, Scope, Send
from mcp_endpoint.wire.errors import telling
from mcp_endpoint.wire.inbound import Inbound, classify
from mcp_endpoint.wire.protected_resource import WELL_KNOWN
from mcp_endpoint.wire.rejection import RefusedError, Rejection
from mcp_endpoint.wire.revisions import is_modern

if TYPE_CHECKING:
    from hosting.routing import Route

_METHODS: Final = (b"allow", cors.METHODS)
_VERBS: Final[dict[str, tuple[Callable[[Context], Awaitable[None]], metrics.Series]]] = {
    "GET": (streams.listen, metrics.LISTEN),
    "DELETE": (sessions.end, metrics.END),
}


class Endpoint:
    """All endpoints of the site. `site_url` has no slash at its end."""

    def __init__(
        self,
        site_url: str,
        gate: Gate,
        authenticator: Authenticator,
        directory: Directory,
        services: Services,
        records: Records,
        visitors: Visitors,
    ) -> None:
        self._gate = gate
        self._authenticator = authenticator
        self._directory = directory
        self._services = services
        self._records = records
        self._visitors = visitors
        self._places = Places(site_url)
        self.patience = Patience(JSON_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Taken out of the scope, so that nothing of this request is left to the collector of cycles.
        offered = scope.pop("extensions", None) or {}
        answer = Answer(receive, send, offered.get(WHOLE))
        try:
            await self._admit(scope, answer, offered.get(KEEP), *h.pick(scope["headers"]))
        except HeadersTooLargeError:
            await answer.json(431, j.failure(b"", j.INVALID_REQUEST, "The request has too many or too large headers"))
        finally:
            self.ended(answer)
            if answer.visitor:
                self._visitors.leave(answer.visitor)

    async def _admit(self, scope: Scope, answer: Answer, keep: Keep | None, fields: h.Fields, twice: str) -> None:
        if not self._gate.takes_host(fields.get(h.HOST)):
            await answer.json(400, j.failure(b"", j.INVALID_REQUEST, "Unknown Host"))
        elif scope["path"].startswith(WELL_KNOWN):
            await self._places.metadata(answer, scope["method"], scope["path"].removeprefix(WELL_KNOWN))
        elif (origin := fields.get(h.ORIGIN)) is None:
            await self._serve(scope, answer, fields, twice, keep)
        elif not self._gate.takes_origin(origin):
            await answer.json(403, j.failure(b"", j.INVALID_REQUEST, "Requests from this Origin are not allowed"))
        elif scope["method"] == "OPTIONS" and h.ASKS_METHOD in fields:
            await answer.empty(204, cors.preflight(origin, fields.get(h.ASKS_HEADERS, b"")))
        else:
            answer.add_headers(cors.answered(origin))
            await self._serve(scope, answer, fields, twice)

    async def _serve(
        self, scope: Scope, answer: Answer, fields: h.Fields, twice: str, keep: Keep | None = None
    ) -> None:
        place = self._places.find(scope["path"])
        if place is None:
            await answer.json(404, j.failure(b"", j.INVALID_REQUEST, "Not found"))
            return
        await telling(answer, self._served(scope, answer, fields, twice, place, keep))

    async def serve_known(self, answer: Answer, fields: h.Fields, place: Place) -> None:
        """The whole of a POST whose headers, a token among them, were let in before."""
        try:
            await telling(answer, self._served({"method": "POST"}, answer, fields, "", place, None))
        finally:
            self.ended(answer)

    def ended(self, answer: Answer) -> None:
        """The request has its answer, or nobody is there any more to take one: what is left of it."""
        answer.series.add(answer.status, time.perf_counter() - answer.began)
        if answer.inbound is not None and answer.principal is not None:
            self._records.add(answer, answer.principal, answer.inbound, answer.bytes_in, answer.ended)

    async def _served(
        self, scope: Scope, answer: Answer, fields: h.Fields, twice: str, place: Place, keep: Keep | None
    ) -> None:
        answer.key = place.key
        principal = self._authenticator.authenticate(fields.get(h.AUTHORIZATION), place.resource, time.time())
        if isinstance(principal, Challenge):
            principal = await self._visitor(scope, answer, fields, place) or principal
        if isinstance(principal, Challenge):
            await tell_challenge(answer, place, principal)
            return
        method = scope["method"]
        if method != "POST":
            await self._other(method, answer, fields, place, principal)
            return
        body = await read_body(answer.receive, fields.get(h.CONTENT_LENGTH))
        inbound = classify(fields, twice, body)
        if isinstance(inbound, Rejection):
            raise RefusedError(inbound)
        self.note(answer, place, inbound, len(body))
        principal = self._visitors.asking(principal, inbound, answer.visitor)
        await self._post(answer, fields, place, principal, inbound, keep)

    async def _visitor(self, scope: Scope, answer: Answer, fields: h.Fields, place: Place) -> Principal | None:
        """Who has no account at a deployment that anybody may call; None: a token is needed. Raises AppError."""
        if h.AUTHORIZATION in fields:
            return None
        if not self._directory.is_ready:
            await self._directory.revocations_known()
        if not self._directory.is_anonymous(place.key):
            return None
        address = anonymous.address_of((scope.get("client") or (None,))[0])
        self._visitors.enter(address)
        answer.visitor = address
        return anonymous.visitor(fields, place.resource, address)

    @staticmethod
    def note(answer: Answer, place: Place, inbound: Inbound, bytes_in: int) -> None:
        """What metrics, log and record say of the request."""
        answer.key = place.key
        answer.request_id = id_of(inbound)
        answer.series = series_of(inbound)
        answer.inbound = inbound
        answer.bytes_in = bytes_in

    # --- methods

    async def _post(
        self,
        answer: Answer,
        fields: h.Fields,
        place: Place,
        principal: Principal,
        inbound: Inbound,
        keep: Keep | None,
    ) -> None:
        accept = fields.get(h.ACCEPT)
        if accept is not None and h.accepts(accept) != (True, True):
            message = "The Accept header must list both application/json and text/event-stream"
            await answer.json(406, j.failure(id_of(inbound), j.INVALID_REQUEST, message))
            return
        if not principal.may_call and (lacking := lacking_of(principal, inbound)) is not None:
            await tell_challenge(answer, place, lacking, id_of(inbound))
            return
        if keep is not None and principal.may_call and not principal.is_anonymous:
            keep(Admitted(self, fields, place, principal))
        route = self.route_now(place)
        if route is None:
            route = await self._route(place.key)
        context = self.context(answer, fields, place, principal, route)
        count = calls_in(inbound)
        if context.route.is_personal and await self._lacks(context, inbound, max(count, 1)):
            return
        if not count:
            await self._uncounted(context, inbound)
            return
        self.enter(context, inbound, count)
        try:
            if isinstance(inbound, ModernCall):
                await modern_calls.call(context, inbound)
            else:
                assert isinstance(inbound, LegacyPost)
                await (batches.post if inbound.is_batch else calls.post)(context, inbound)
        finally:
            self.leave(context, count)

    async def _lacks(self, context: Context, inbound: Inbound, count: int) -> bool:
        """Whether the request was answered with what its user has to bring first."""
        counted = (context.principal.key, context.route.deployment_id, count)
        self._services.in_flight.enter(*counted)
        try:
            return await served(context, inbound)
        finally:
            self._services.in_flight.leave(*counted)

    def enter(self, context: Context, inbound: Inbound, count: int = 1) -> None:
        """What calls pass before they are sent on. Raises RefusedError and AppError; then there is nothing to leave."""
        check_allowed(context.route, context.principal, inbound)
        self._services.in_flight.enter(context.principal.key, context.route.deployment_id, count)

    def leave(self, context: Context, count: int = 1) -> None:
        self._services.in_flight.leave(context.principal.key, context.route.deployment_id, count)

    @staticmethod
    async def _uncounted(context: Context, inbound: Inbound) -> None:
        """Listening, and what has no answer of its own: a server's question must always find its answer."""
        if isinstance(inbound, ModernCall):
            await modern_calls.call(context, inbound)
        elif isinstance(inbound, LegacyPost):
            await (batches.post if inbound.is_batch else calls.post)(context, inbound)
        else:
            await context.answer.empty(202)

    async def _other(self, method: str, answer: Answer, fields: h.Fields, place: Place, principal: Principal) -> None:
        """GET and DELETE belong to sessions, which modern revisions do not have."""
        verb, series = _VERBS.get(method, (None, metrics.UNREAD))
        if verb is None or is_modern(h.text(fields.get(h.VERSION)) or ""):
            allow = _METHODS if verb is None else (b"allow", b"POST")
            await answer.json(405, j.failure(b"", j.INVALID_REQUEST, "Method not allowed"), [allow])
            return
        if method == "GET" and not h.accepts(fields.get(h.ACCEPT, b"*/*"))[1]:
            await answer.json(406, j.failure(b"", j.INVALID_REQUEST, "The Accept header must list text/event-stream"))
            return
        lacking = missing_scope(principal, "")
        if lacking is not None:
            await tell_challenge(answer, place, lacking)
            return
        answer.series = series
        await verb(self.context(answer, fields, place, principal, await self._route(place.key)))

    # --- routes

    async def _route(self, key: Key) -> Route | None:
        """Raises Unavailable."""
        if not self._directory.is_ready:
            await self._directory.revocations_known()
        return await self._directory.route(key)

    def route_now(self, place: Place) -> Route | None:
        """The route, where it is known without waiting."""
        known, route = self._directory.peek(place.key)
        return route if known and self._directory.is_ready else None

    def still_good(self, principal: Principal) -> bool:
        return self._authenticator.is_good(principal, time.time())

    def context(
        self, answer: Answer, fields: h.Fields, place: Place, principal: Principal, route: Route | None
    ) -> Context:
        """Raises NotFound, and what keeps the deployment from being called."""
        if route is None or not has_access(principal, route):
            raise NotFound("not_found", "There is no such server, or you may not use it.")
        if not route.is_callable:
            raise self._directory.why_not(route)
        answer.route, answer.principal = route, principal
        owner = f"{principal.sub} {principal.client_id} {route.deployment_id}"
        return Context(self._services, answer, fields, principal, place.key, route, owner)

    def may_use(self, principal: Principal, key: Key, now: float) -> bool:
        """Whether an open stream may go on. What can't be looked up right now stays as it was."""
        if not self._authenticator.is_good(principal, now):
            return False
        _, route = self._directory.peek(key)
        return route is not None and has_access(principal, route)


def has_access(principal: Principal, route: Route) -> bool:
    """A scope is not enough: the user must be let in by the deployment now."""
    if route.is_anonymous:
        return True
    return not principal.is_anonymous and (route.access == "public" or principal.sub in route.member_ids)
