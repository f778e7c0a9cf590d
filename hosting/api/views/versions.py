"""Versions: listed, deployed, and gone back to."""

from __future__ import annotations

from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.bodies import PlainJSONParser
from common.api.paging import Page, PageQuery, paged
from common.api.views import operation
from hosting import selectors
from hosting.api.serializers.deployments import MAX_UPLOAD_BODY, origin_of
from hosting.api.serializers.versions import (
    VersionDetailSerializer,
    VersionNewSerializer,
    VersionSerializer,
    VersionUploadSerializer,
    version_shown,
)
from hosting.api.views.deployment import DeploymentView, actor_of, in_deployment, parsed, query_of
from hosting.building.making import version_make
from hosting.building.versions import deployment_rollback
from hosting.listing import versions_page

TAG = "Versions"
VersionPage = paged(VersionSerializer)


@in_deployment()
class VersionsView(DeploymentView):
    parser_classes = (PlainJSONParser, MultiPartParser)
    max_body = MAX_UPLOAD_BODY

    @operation(
        "listVersions",
        "Versions, newest first",
        tag=TAG,
        query=PageQuery,
        response=VersionPage,
        problems=(404,),
    )
    def get(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.managed(request, owner, name)
        page = versions_page(deployment, **query_of(request, PageQuery))
        shown = [version_shown(row, deployment) for row in page.items]
        return Response(VersionPage(Page(shown, page.next)).data)

    @operation(
        "deployVersion",
        "Deploy another version",
        tag=TAG,
        request={"application/json": VersionNewSerializer, "multipart/form-data": VersionUploadSerializer},
        response=VersionSerializer,
        status=201,
        problems=(404, 409),
        done="It is queued for building; the present version serves until it is built.",
        description="With an empty object: the same reference again, resolved to the newest that it allows.",
        example={"reference": "pypi:mcp-server-time"},
    )
    def post(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.managed(request, owner, name)
        is_form = (request.content_type or "").startswith("multipart/")
        given = parsed(VersionUploadSerializer if is_form else VersionNewSerializer, request.data)
        version = version_make(actor=actor_of(request), deployment=deployment, origin=origin_of(given))
        return Response(VersionSerializer(version_shown(version, deployment)).data, status.HTTP_201_CREATED)


@in_deployment("number")
class VersionView(DeploymentView):
    @operation("getVersion", "A version and its build log", tag=TAG, response=VersionDetailSerializer, problems=(404,))
    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        deployment = self.managed(request, owner, name)
        version = selectors.version_numbered(deployment, number)
        shown = {**version_shown(version, deployment), "build_log": version.build_log}
        return Response(VersionDetailSerializer(shown).data)


@in_deployment("number")
class RollbackView(DeploymentView):
    @operation(
        "rollBack",
        "Serve from another version that is built",
        tag=TAG,
        response=VersionSerializer,
        problems=(404, 409),
        description="With the next call; sessions finish on the version they began with. Repeatable.",
    )
    def post(self, request: Request, owner: str, name: str, number: int) -> Response:
        version = deployment_rollback(
            actor=actor_of(request), deployment=self.managed(request, owner, name), number=number
        )
        return Response(VersionSerializer(version_shown(version, self.managed(request, owner, name))).data)
