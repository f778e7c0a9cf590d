"""Who may call a deployment, and the tokens that open it, as the API reads and writes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.api.fields import StrictSerializer
from oauth import scopes
from oauth.services import MAX_TTL_SECONDS


class MemberSerializer(serializers.Serializer[Any]):
    user = serializers.CharField(source="user.username")
    role = serializers.ChoiceField(["owner", "member"])


class MembersSerializer(serializers.Serializer[Any]):
    """Those who may see and call a server while it is private."""

    items = MemberSerializer(many=True)


class TokenSerializer(serializers.Serializer[Any]):
    """A token that opens one server's endpoint for one person."""

    id = serializers.UUIDField()
    user = serializers.CharField(source="user.username")
    scopes = serializers.SerializerMethodField()
    note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)

    def get_scopes(self, token: Any) -> list[str]:
        found: list[str] = token.scopes.split()
        return found


class TokenIssuedSerializer(TokenSerializer):
    """A token, and the only time that its value is shown."""

    value = serializers.SerializerMethodField(help_text="For the Authorization header. It is kept nowhere.")

    def get_value(self, token: Any) -> str:
        return str(self.context["value"])


class TokenNewSerializer(StrictSerializer):
    ttl_seconds = serializers.IntegerField(required=False, default=3600, min_value=1, max_value=MAX_TTL_SECONDS)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(scopes.KNOWN), required=False, default=list(scopes.DEFAULT), allow_empty=False
    )
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)
