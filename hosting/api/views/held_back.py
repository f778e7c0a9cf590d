"""Values that a server does not get any more since it has changed: what is different, and that it is right."""

from __future__ import annotations

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.views import operation
from hosting.api.serializers.held_back import ConfirmedSerializer, HeldBackListSerializer, held_back_shown
from hosting.api.views.credentials import TAG, OfServer
from hosting.api.views.deployment import DeploymentView, actor_of, check_proven, in_deployment, parsed
from hosting.credentials import suspension

_CONFIRMS = "What is shown with that mark and nothing else: 409 where something is different by now."


@in_deployment()
class HeldBackView(OfServer):
    @operation(
        "getHeldBack",
        "Values of yours that wait because it has changed",
        tag=TAG,
        response=HeldBackListSerializer,
        problems=(404,),
        description="And those of the organization that count for you. Never a value.",
    )
    def get(self, request: Request, owner: str, name: str) -> Response:
        found = suspension.suspended_of(actor_of(request), self.called(request, owner, name))
        return Response(HeldBackListSerializer(held_back_shown(found)).data)

    @operation(
        "confirmHeldBack",
        "Confirm what is different: it may have them",
        tag=TAG,
        request=ConfirmedSerializer,
        status=204,
        problems=(404, 409),
        description=f"{_CONFIRMS} Calls and pages that wait for them go on.",
        example={"mark": "…"},
    )
    def post(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.called(request, owner, name)
        mark = parsed(ConfirmedSerializer, request.data)["mark"]
        if suspension.suspended_of(actor_of(request), deployment).has_organizations:
            check_proven(request)
        suspension.suspended_confirm(actor=actor_of(request), deployment=deployment, mark=mark)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @operation(
        "deleteHeldBack",
        "Delete those of yours that wait",
        tag=TAG,
        status=204,
        problems=(404,),
        description="The next call asks for them again. Repeatable.",
    )
    def delete(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.called(request, owner, name)
        suspension.suspended_delete(actor=actor_of(request), deployment=deployment)
        return Response(status=status.HTTP_204_NO_CONTENT)


@in_deployment()
class SettingsHeldBackView(DeploymentView):
    @operation(
        "getHeldBackSettings",
        "Secrets of its settings that wait because its address has changed",
        tag="Settings",
        response=HeldBackListSerializer,
        problems=(404,),
        description="Of remote servers. Never a value.",
    )
    def get(self, request: Request, owner: str, name: str) -> Response:
        found = suspension.settings_suspended(self.managed(request, owner, name))
        return Response(HeldBackListSerializer(held_back_shown(found)).data)

    @operation(
        "confirmHeldBackSettings",
        "Confirm that they may go to the new address",
        tag="Settings",
        request=ConfirmedSerializer,
        status=204,
        problems=(404, 409),
        description=_CONFIRMS,
        example={"mark": "…"},
    )
    def post(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.managed(request, owner, name)
        check_proven(request)
        mark = parsed(ConfirmedSerializer, request.data)["mark"]
        suspension.settings_confirm(actor=actor_of(request), deployment=deployment, mark=mark)
        return Response(status=status.HTTP_204_NO_CONTENT)
