"""Members of a deployment, and tokens for its endpoint."""

from __future__ import annotations

from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import user_get
from common.api.paging import PageQuery, paged
from common.api.views import operation
from hosting import selectors
from hosting.access import endpoint_tokens
from hosting.access.members import member_add, member_remove
from hosting.api.serializers.access import MembersSerializer, TokenIssuedSerializer, TokenNewSerializer, TokenSerializer
from hosting.api.views.deployment import (
    DeploymentView,
    actor_of,
    check_proven,
    in_deployment,
    parsed,
    query_of,
    user_of,
)
from hosting.listing import tokens_page

MEMBERS, TOKENS = "Members", "Endpoint tokens"
TokenPage = paged(TokenSerializer)


@in_deployment()
class MembersView(DeploymentView):
    @operation("listMembers", "Who may call it when private", tag=MEMBERS, response=MembersSerializer, problems=(404,))
    def get(self, request: Request, owner: str, name: str) -> Response:
        members = selectors.members_of(self.managed(request, owner, name))
        return Response(MembersSerializer({"items": members}).data)


@in_deployment("user")
class MemberView(DeploymentView):
    @operation("addMember", "Add a member", tag=MEMBERS, status=204, problems=(404,), description="Repeatable.")
    def put(self, request: Request, owner: str, name: str, user: str) -> Response:
        deployment = self.managed(request, owner, name)
        member_add(actor=actor_of(request), deployment=deployment, user=user_get(user))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @operation("removeMember", "Remove a member", tag=MEMBERS, status=204, problems=(404,), description="Repeatable.")
    def delete(self, request: Request, owner: str, name: str, user: str) -> Response:
        deployment = self.managed(request, owner, name)
        member_remove(actor=actor_of(request), deployment=deployment, user=user_get(user))
        return Response(status=status.HTTP_204_NO_CONTENT)


@in_deployment()
class TokensView(DeploymentView):
    @operation(
        "listEndpointTokens",
        "Tokens that are good, newest first",
        tag=TOKENS,
        query=PageQuery,
        response=TokenPage,
        problems=(404,),
        description="Managers see everybody's, others their own.",
    )
    def get(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.seen(request, owner, name)
        page = tokens_page(actor_of(request), deployment, **query_of(request, PageQuery))
        return Response(TokenPage(page).data)

    @operation(
        "issueEndpointToken",
        "Issue a token for its endpoint",
        tag=TOKENS,
        request=TokenNewSerializer,
        response=TokenIssuedSerializer,
        status=201,
        problems=(404,),
        done="The value is shown this once.",
        description="It acts for you, at this one server.",
        example={"ttl_seconds": 3600, "scopes": ["mcp:read", "mcp:call"], "note": "CI"},
    )
    def post(self, request: Request, owner: str, name: str) -> Response:
        check_proven(request)
        deployment = self.seen(request, owner, name)
        token, value = endpoint_tokens.deployment_token_issue(
            actor=actor_of(request),
            user=user_of(request),
            deployment=deployment,
            **parsed(TokenNewSerializer, request.data),
        )
        shown = TokenIssuedSerializer(token, context={"value": value}).data
        return Response(shown, status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


@in_deployment("token_id")
class TokenView(DeploymentView):
    @operation(
        "revokeEndpointToken",
        "Revoke a token",
        tag=TOKENS,
        status=204,
        problems=(404,),
        done="It opens nothing any more, within a second.",
        description="Repeatable.",
    )
    def delete(self, request: Request, owner: str, name: str, token_id: UUID) -> Response:
        endpoint_tokens.deployment_token_revoke(
            actor=actor_of(request), deployment=self.seen(request, owner, name), token_id=token_id
        )
        return Response(status=status.HTTP_204_NO_CONTENT)
