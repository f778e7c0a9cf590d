"""What a server is started with: plain values, arguments, and secrets that only go in."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from common.api.views import operation
from hosting.api.serializers.settings import (
    SettingsChangeSerializer,
    SettingsReplaceSerializer,
    SettingsSerializer,
    settings_shown,
)
from hosting.api.views.deployment import DeploymentView, actor_of, check_proven, in_deployment, parsed
from hosting.changing import deployment_settings_replace
from hosting.configuration.configuring import deployment_settings_set

TAG = "Settings"


@in_deployment()
class SettingsView(DeploymentView):
    @operation("getSettings", "What it asks for and was given", tag=TAG, response=SettingsSerializer, problems=(404,))
    def get(self, request: Request, owner: str, name: str) -> Response:
        return self._shown(request, owner, name)

    @operation(
        "updateSettings",
        "Set what is named",
        tag=TAG,
        request=SettingsChangeSerializer,
        response=SettingsSerializer,
        problems=(404, 409),
        description="The rest stays. New instances are started with it.",
        example={"values": {"env:ZONE": "Europe/Rome"}, "secrets": {"env:API_KEY": "…"}},
    )
    def patch(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.managed(request, owner, name)
        given = parsed(SettingsChangeSerializer, request.data)
        if given.get("secrets"):
            check_proven(request)
        deployment_settings_set(actor=actor_of(request), deployment=deployment, **given)
        return self._shown(request, owner, name)

    @operation(
        "replaceSettings",
        "Set plain values and arguments to exactly these",
        tag=TAG,
        request=SettingsReplaceSerializer,
        response=SettingsSerializer,
        problems=(404, 409),
        description="Secrets that aren't named stay, since nobody can read them to send them again.",
        example={"values": {"env:ZONE": "Europe/Rome"}, "arguments": []},
    )
    def put(self, request: Request, owner: str, name: str) -> Response:
        deployment = self.managed(request, owner, name)
        given = parsed(SettingsReplaceSerializer, request.data)
        if given.get("secrets"):
            check_proven(request)
        deployment_settings_replace(actor=actor_of(request), deployment=deployment, **given)
        return self._shown(request, owner, name)

    def _shown(self, request: Request, owner: str, name: str) -> Response:
        return Response(SettingsSerializer(settings_shown(self.managed(request, owner, name))).data)
