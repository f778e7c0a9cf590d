"""What the views of one deployment share: who asks, which deployment it is, and how it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import User
from accounts.reauthentication import confirm_url
from common.api.views import ApiView, Shape
from common.errors import Forbidden
from events.actors import Actor, person
from hosting import selectors
from hosting.access.permissions import may_manage
from hosting.api.serializers.deployments import DeploymentDetailSerializer, configuration_shown, deployment_shown
from hosting.models import Deployment
from hosting.routing import resource_url
from oauth.models import ApiToken

V = TypeVar("V", bound=type[ApiView])
_PATH = {
    "owner": "The account that owns it.",
    "name": "Its name.",
    "number": "The version's number.",
    "tool": "The tool's name.",
    "user": "The name of a person's account.",
    "token_id": "The token's id.",
    "key": "The folder's key.",
    "setting": "A key, such as env:API_KEY.",
}
_TYPES: dict[str, Any] = {"number": int, "token_id": {"type": "string", "format": "uuid"}}


class DeploymentView(ApiView):
    """The base of them all. Without the right to see or to manage it there is no such deployment."""

    scopes = ("deployments:read", "deployments:write")

    def managed(self, request: Request, owner: str, name: str) -> Deployment:
        return selectors.deployment_managed_by(actor_of(request), owner, name)

    def seen(self, request: Request, owner: str, name: str) -> Deployment:
        return selectors.deployment_seen_by(actor_of(request), owner, name)

    def written(self, request: Request, owner: str, name: str) -> Any:
        """The deployment as it is now, as JSON."""
        return detail(actor_of(request), self.seen(request, owner, name))


def in_deployment(*more: str) -> Callable[[V], V]:
    """Describes the path's parameters of a view's operations."""
    parameters = [
        OpenApiParameter(name, _TYPES.get(name, str), OpenApiParameter.PATH, description=_PATH[name])
        for name in ("owner", "name", *more)
    ]
    decorate: Callable[[V], V] = extend_schema(parameters=parameters)
    return decorate


def user_of(request: Request) -> User:
    assert isinstance(request.user, User)  # IsAuthenticated
    return request.user


def actor_of(request: Request) -> Actor:
    return person(user_of(request).pk)


def check_proven(request: Request) -> None:
    """Raises Forbidden where a session asks for what opens doors and its person has not proven of late who they are."""
    if not isinstance(request.auth, ApiToken) and confirm_url(request._request):
        raise Forbidden("confirm_first", "You signed in a while ago. Sign in again, or use a token for the API.")


def parsed(shape: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """What a request says, checked. Raises ValidationError."""
    serializer = shape(data=data)
    serializer.is_valid(raise_exception=True)
    found: dict[str, Any] = serializer.validated_data
    return found


def query_of(request: Request, shape: Shape) -> dict[str, Any]:
    return parsed(shape, request.query_params)


def detail(actor: Actor, deployment: Deployment) -> Any:
    can_manage = may_manage(actor, deployment)
    shown = {
        **deployment_shown(deployment, mcp_url(deployment), can_manage),
        "missing_setting": selectors.setting_missing(deployment) or None if can_manage else None,
        "held_tools": selectors.tools_held(deployment) if can_manage else None,
        "configuration": configuration_shown(deployment) if can_manage else None,
    }
    return DeploymentDetailSerializer(shown).data


def mcp_url(deployment: Deployment) -> str:
    return resource_url(deployment.owner.folded, deployment.folded_name)
