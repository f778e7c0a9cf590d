"""How a deployment is used: calls, figures, connections, output; and what an owner may use."""

from __future__ import annotations

from datetime import timedelta

from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api.paging import Page, paged
from common.api.views import ApiView, operation
from hosting import selectors
from hosting.access.permissions import may_manage
from hosting.api.serializers.usage import (
    CallQuery,
    CallSerializer,
    DaysQuery,
    EgressSerializer,
    OutputSerializer,
    QuotaQuery,
    QuotaSerializer,
    StatsSerializer,
    quota_shown,
)
from hosting.api.views.deployment import DeploymentView, actor_of, in_deployment, query_of, user_of
from hosting.quotas import quotas
from hosting.routing import route_of
from hosting.stream import output
from hosting.usage.records import calls_of, stats_of

TAG = "Use"
CallPage = paged(CallSerializer)


@in_deployment()
class CallsView(DeploymentView):
    @operation(
        "listCalls",
        "Who called what, newest first",
        tag=TAG,
        query=CallQuery,
        response=CallPage,
        problems=(404,),
        description="Managers see all calls, others their own.",
    )
    def get(self, request: Request, owner: str, name: str) -> Response:
        given = query_of(request, CallQuery)
        given["after"] = given.pop("cursor")
        found = calls_of(actor_of(request), self.seen(request, owner, name), **given)
        return Response(CallPage(Page(found.calls, found.next)).data)


@in_deployment()
class StatsView(DeploymentView):
    @operation(
        "getStats",
        "Calls, errors and times by tool",
        tag=TAG,
        query=DaysQuery,
        response=StatsSerializer,
        problems=(404,),
    )
    def get(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.managed(request, owner, name)
        since = clock.now() - timedelta(days=query_of(request, DaysQuery)["days"])
        return Response(StatsSerializer(stats_of(deployment, since)).data)


@in_deployment()
class EgressView(DeploymentView):
    @operation(
        "getEgress",
        "The hosts that it connected to",
        tag=TAG,
        query=DaysQuery,
        response=EgressSerializer,
        problems=(404,),
    )
    def get(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.managed(request, owner, name)
        found = selectors.connections_of(deployment, query_of(request, DaysQuery)["days"])
        return Response(EgressSerializer({"connections": found}).data)


@in_deployment()
class OutputView(DeploymentView):
    @operation(
        "getOutput",
        "The last lines that it printed",
        tag=TAG,
        response=OutputSerializer,
        problems=(404,),
        description="Those that you may read: what a caller's own instance prints is the caller's.",
    )
    def get(self, request: Request, owner: str, name: str) -> Response:
        deployment, actor = self.seen(request, owner, name), actor_of(request)
        reader = output.Reader(str(actor.user_id), may_manage(actor, deployment))
        lines = output.tail(route_of(deployment), reader)
        return Response(OutputSerializer({"lines": lines}).data)


class QuotaView(ApiView):
    scopes = ("deployments:read", "deployments:write")

    @operation(
        "getQuota",
        "What you use, and may use",
        tag="Quota",
        query=QuotaQuery,
        response=QuotaSerializer,
        problems=(404,),
    )
    def get(self, request: Request) -> Response:
        owner = query_of(request, QuotaQuery).get("owner", user_of(request).username)
        return Response(QuotaSerializer(quota_shown(quotas.account_of(actor_of(request), owner))).data)
