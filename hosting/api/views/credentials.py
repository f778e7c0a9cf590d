"""One's own credentials for servers, and those that an organization keeps for its members."""

from __future__ import annotations

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Organization
from accounts.permissions import check_may_administer
from accounts.selectors import organization_get
from common.api.views import ApiView, in_path, operation
from common.errors import NotFound
from hosting.access.permissions import may_call, unknown
from hosting.api.serializers.credentials import (
    BroughtListSerializer,
    CredentialSerializer,
    ExpirySerializer,
    OfServerQuery,
    OrganizationCredentialSerializer,
    StoredListSerializer,
    kept_shown,
    own_shown,
)
from hosting.api.views.deployment import (
    DeploymentView,
    actor_of,
    check_proven,
    in_deployment,
    parsed,
    query_of,
)
from hosting.credentials import eliciting, organizations, waiting
from hosting.credentials.overview import credentials_of, credentials_page
from hosting.models import Deployment

TAG = "Credentials"
SCOPES = ("credentials:read", "credentials:write")


class CredentialsView(ApiView):
    scopes = SCOPES

    @operation(
        "listCredentials",
        "What you have stored for servers",
        tag=TAG,
        response=StoredListSerializer,
        description="Never a value.",
    )
    def get(self, request: Request) -> Response:
        rows = credentials_page(actor_of(request))
        return Response(StoredListSerializer({"items": [one for row in rows for one in own_shown(row)]}).data)


class OfServer(DeploymentView):
    scopes = SCOPES

    def called(self, request: Request, owner: str, name: str) -> Deployment:
        """For who may call it. To others it isn't there."""
        found = self.seen(request, owner, name)
        if not may_call(actor_of(request), found):
            raise unknown()
        return found


@in_deployment()
class BroughtView(OfServer):
    @operation(
        "getBrought",
        "What each user brings to it, and which value counts for you",
        tag=TAG,
        response=BroughtListSerializer,
        problems=(404,),
    )
    def get(self, request: Request, owner: str, name: str) -> Response:
        found = credentials_of(actor_of(request), self.called(request, owner, name))
        return Response(BroughtListSerializer(found).data)


@in_deployment("setting")
class CredentialView(OfServer):
    @operation(
        "putCredential",
        "Store or replace one of yours",
        tag=TAG,
        request=CredentialSerializer,
        status=204,
        problems=(404,),
        description="What ran with another value is ended.",
        example={"value": "…", "expires_at": None},
    )
    def put(self, request: Request, owner: str, name: str, setting: str) -> Response:
        deployment = self.called(request, owner, name)
        given = parsed(CredentialSerializer, request.data)
        waiting.credential_put(actor=actor_of(request), deployment=deployment, key=setting, **given)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @operation(
        "expireCredential",
        "Say when one of yours stops counting",
        tag=TAG,
        request=ExpirySerializer,
        status=204,
        problems=(404,),
        example={"expires_at": "2030-01-01T00:00:00Z"},
    )
    def patch(self, request: Request, owner: str, name: str, setting: str) -> Response:
        deployment = self.called(request, owner, name)
        given = parsed(ExpirySerializer, request.data)
        waiting.credential_expire(actor=actor_of(request), deployment_id=deployment.pk, key=setting, **given)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @operation(
        "deleteCredential",
        "Delete one of yours",
        tag=TAG,
        status=204,
        problems=(404,),
        description="What ran with it is ended. Repeatable.",
    )
    def delete(self, request: Request, owner: str, name: str, setting: str) -> Response:
        deployment = self.called(request, owner, name)
        eliciting.credentials_revoke(actor=actor_of(request), deployment_id=deployment.pk, names=[setting])
        return Response(status=status.HTTP_204_NO_CONTENT)


class _OfOrganization(ApiView):
    scopes = SCOPES

    def administered(self, request: Request, organization: str) -> Organization:
        """To strangers it isn't there. Raises NotFound and Forbidden."""
        try:
            found = organization_get(organization)
        except NotFound:
            raise NotFound("organization_unknown", "There is no such organization, or you are not in it.") from None
        check_may_administer(actor_of(request), found)
        return found


@in_path(organization="The organization's name.")
class OrganizationCredentialsView(_OfOrganization):
    @operation(
        "listOrganizationCredentials",
        "What an organization keeps for its members",
        tag=TAG,
        response=StoredListSerializer,
        problems=(404,),
        description="For its owners and administrators. Never a value.",
    )
    def get(self, request: Request, organization: str) -> Response:
        rows = organizations.organization_credentials(actor_of(request), self.administered(request, organization))
        return Response(StoredListSerializer({"items": [kept_shown(row) for row in rows]}).data)


@in_path(organization="The organization's name.", setting="A key, such as env:API_KEY.")
class OrganizationCredentialView(_OfOrganization):
    @operation(
        "putOrganizationCredential",
        "Store or replace one for its members",
        tag=TAG,
        request=OrganizationCredentialSerializer,
        status=204,
        problems=(404,),
        description="For its owners and administrators. It counts for members who bring none of their own.",
        example={"value": "…", "server": None},
    )
    def put(self, request: Request, organization: str, setting: str) -> Response:
        found = self.administered(request, organization)
        check_proven(request)
        given = parsed(OrganizationCredentialSerializer, request.data)
        server = _server(found, given.pop("server", None))
        organizations.organization_credential_put(
            actor=actor_of(request), organization=found, setting=setting, deployment=server, **given
        )
        return Response(status=status.HTTP_204_NO_CONTENT)

    @operation(
        "deleteOrganizationCredential",
        "Delete one",
        tag=TAG,
        status=204,
        query=OfServerQuery,
        problems=(404,),
        description="What ran with it is ended. Repeatable.",
    )
    def delete(self, request: Request, organization: str, setting: str) -> Response:
        found = self.administered(request, organization)
        server = _server(found, query_of(request, OfServerQuery)["server"])
        organizations.organization_credential_delete(
            actor=actor_of(request), organization=found, setting=setting, deployment=server
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


def _server(organization: Organization, name: str | None) -> Deployment | None:
    return organizations.server_of(organization, name) if name else None
