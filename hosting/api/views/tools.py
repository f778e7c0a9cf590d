"""The tools of a deployment: seen, switched, approved."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from common.api.paging import Page, PageQuery, paged
from common.api.views import operation
from hosting.api.serializers.tools import ToolChangeSerializer, ToolSerializer, tool_shown
from hosting.api.views.deployment import DeploymentView, actor_of, in_deployment, parsed, query_of
from hosting.changing import tool_change
from hosting.listing import tools_page
from hosting.selectors import tool_named

TAG = "Tools"
ToolPage = paged(ToolSerializer)


@in_deployment()
class ToolsView(DeploymentView):
    @operation(
        "listTools",
        "Its tools, by name",
        tag=TAG,
        query=PageQuery,
        response=ToolPage,
        problems=(404,),
        description="Managers see all that the server offers, with what differs from what was approved; others see "
        "those that they can call.",
    )
    def get(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.seen(request, owner, name)
        page = tools_page(actor_of(request), deployment, **query_of(request, PageQuery))
        return Response(ToolPage(Page([tool_shown(row, deployment) for row in page.items], page.next)).data)


@in_deployment("tool")
class ToolView(DeploymentView):
    @operation(
        "updateTool",
        "Switch or approve a tool",
        tag=TAG,
        request=ToolChangeSerializer,
        response=ToolSerializer,
        problems=(404, 409),
        description="A tool that changed again since you read it is not approved (409).",
        example={"is_enabled": False},
    )
    def patch(self, request: Request, owner: str, name: str, tool: str) -> Response:
        deployment = self.managed(request, owner, name)
        given = parsed(ToolChangeSerializer, request.data)
        tool_change(
            actor=actor_of(request),
            deployment=deployment,
            name=tool,
            is_enabled=given.get("is_enabled"),
            approved_digest=given.get("approve"),
            task_support=given.get("task_support"),
        )
        return Response(ToolSerializer(tool_shown(tool_named(deployment, tool), deployment)).data)
