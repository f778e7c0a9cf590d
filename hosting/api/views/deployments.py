"""Deployments: listed, made, read, changed, started, stopped and deleted."""

from __future__ import annotations

from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import names_owned_by
from common.api.bodies import PlainJSONParser
from common.api.paging import Page, PageQuery, paged
from common.api.views import ApiView, operation
from hosting import services
from hosting.api.serializers.deployments import (
    MAX_UPLOAD_BODY,
    ConfigurationSerializer,
    DeploymentDetailSerializer,
    DeploymentNewSerializer,
    DeploymentSerializer,
    DeploymentUploadSerializer,
    deployment_shown,
    origin_of,
)
from hosting.api.views.deployment import (
    DeploymentView,
    actor_of,
    detail,
    in_deployment,
    mcp_url,
    parsed,
    query_of,
    user_of,
)
from hosting.building.making import deployment_make
from hosting.changing import deployment_change
from hosting.listing import deployments_page
from hosting.selectors import deployment_get

TAG = "Deployments"
DeploymentPage = paged(DeploymentSerializer)


class DeploymentsView(ApiView):
    scopes = ("deployments:read", "deployments:write")
    parser_classes = (PlainJSONParser, MultiPartParser)
    max_body = MAX_UPLOAD_BODY

    @operation(
        "listDeployments",
        "Your deployments",
        tag=TAG,
        query=PageQuery,
        response=DeploymentPage,
        description="Those that you own, that an organization of yours owns, and that are shared with you.",
    )
    def get(self, request: Request) -> Response:
        user = user_of(request)
        page = deployments_page(user, **query_of(request, PageQuery))
        owned = set(names_owned_by(user).values_list("pk", flat=True))
        shown = [deployment_shown(row, mcp_url(row), row.owner_id in owned) for row in page.items]
        return Response(DeploymentPage(Page(shown, page.next)).data)

    @operation(
        "createDeployment",
        "Host a server",
        tag=TAG,
        request={"application/json": DeploymentNewSerializer, "multipart/form-data": DeploymentUploadSerializer},
        response=DeploymentDetailSerializer,
        status=201,
        problems=(404, 409),
        done="It is queued for building.",
        description="Of a package, a remote server or a server.json (as JSON), or of uploaded source (as a form).",
        example={"reference": "pypi:mcp-server-time", "name": "time", "access": "private"},
    )
    def post(self, request: Request) -> Response:
        is_form = (request.content_type or "").startswith("multipart/")
        given = parsed(DeploymentUploadSerializer if is_form else DeploymentNewSerializer, request.data)
        user = user_of(request)
        deployment = deployment_make(
            actor=actor_of(request),
            owner=given.pop("owner", user.username),
            origin=origin_of(given),
            values=given.pop("settings", None),
            **given,
        )
        owner, name = deployment.owner.folded, deployment.folded_name
        shown = detail(actor_of(request), deployment_get(owner, name))
        return Response(shown, status.HTTP_201_CREATED, headers={"Location": f"/api/deployments/{owner}/{name}"})


@in_deployment()
class DeploymentDetailView(DeploymentView):
    @operation("getDeployment", "One deployment", tag=TAG, response=DeploymentDetailSerializer, problems=(404,))
    def get(self, request: Request, owner: str, name: str) -> Response:
        return Response(self.written(request, owner, name))

    @operation(
        "updateDeployment",
        "Change how it runs",
        tag=TAG,
        request=ConfigurationSerializer,
        response=DeploymentDetailSerializer,
        problems=(404, 409),
        description="What is named is set, all of it or nothing; the rest stays. New instances are started with it.",
        example={"title": "Clock", "idle_seconds": 60, "egress": "none"},
    )
    def patch(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.managed(request, owner, name)
        deployment_change(
            actor=actor_of(request), deployment=deployment, given=parsed(ConfigurationSerializer, request.data)
        )
        return Response(self.written(request, owner, name))

    @operation(
        "deleteDeployment",
        "Delete it",
        tag=TAG,
        status=204,
        problems=(404,),
        done="It can't be seen or called any more.",
        description="With its versions, settings, tokens and call records. This can't be undone.",
    )
    def delete(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.managed(request, owner, name)
        services.deployment_delete(actor=actor_of(request), deployment=deployment)
        return Response(status=status.HTTP_204_NO_CONTENT)


@in_deployment()
class StartView(DeploymentView):
    @operation(
        "startDeployment",
        "Take calls again",
        tag=TAG,
        response=DeploymentDetailSerializer,
        problems=(404, 409),
        description="What was never built is built first. Repeatable.",
    )
    def post(self, request: Request, owner: str, name: str) -> Response:
        services.deployment_start(actor=actor_of(request), deployment=self.managed(request, owner, name))
        return Response(self.written(request, owner, name))


@in_deployment()
class StopView(DeploymentView):
    @operation(
        "stopDeployment",
        "End its instances and refuse calls",
        tag=TAG,
        response=DeploymentDetailSerializer,
        problems=(404, 409),
        description="Repeatable.",
    )
    def post(self, request: Request, owner: str, name: str) -> Response:
        services.deployment_stop(actor=actor_of(request), deployment=self.managed(request, owner, name))
        return Response(self.written(request, owner, name))


@in_deployment()
class RestartView(DeploymentView):
    @operation(
        "restartDeployment",
        "End its instances; the next call starts new ones",
        tag=TAG,
        response=DeploymentDetailSerializer,
        problems=(404, 409),
    )
    def post(self, request: Request, owner: str, name: str) -> Response:
        services.deployment_restart(actor=actor_of(request), deployment=self.managed(request, owner, name))
        return Response(self.written(request, owner, name))
