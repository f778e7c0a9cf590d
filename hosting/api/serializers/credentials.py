"""Credentials as the API reads and writes them: values go in, and never come out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.api.fields import StrictSerializer
from hosting.configuration.inputs import MAX_VALUE
from hosting.credentials.organizations import Kept
from hosting.credentials.overview import ServerCredentials, Source
from vault.selectors import Stored


class StoredSerializer(serializers.Serializer[Any]):
    """That a value is stored, and since when."""

    server = serializers.CharField(allow_null=True, help_text="OWNER/NAME; null: all servers of the organization.")
    key = serializers.CharField(help_text="As in …/settings: env:NAME, header:NAME …")
    set_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="null: it counts until it is deleted.")
    is_expired = serializers.BooleanField()
    used_at = serializers.DateTimeField(allow_null=True, help_text="When an instance was last started with it.")
    uses = serializers.IntegerField(help_text="Starts of instances with it, of this value and earlier ones.")


class StoredListSerializer(serializers.Serializer[Any]):
    items = StoredSerializer(many=True)


class SourceSerializer(serializers.Serializer[Any]):
    """A value that there is for a setting."""

    scope = serializers.ChoiceField(["personal", "organization", "owner", "default"])
    counts = serializers.BooleanField(help_text="Your instance is started with this one.")
    is_held_back = serializers.BooleanField(
        source="is_suspended", help_text="It was given to something else than the server is now."
    )
    set_at = serializers.DateTimeField(allow_null=True, source="stored.set_at", default=None)
    expires_at = serializers.DateTimeField(allow_null=True, source="stored.expires_at", default=None)
    used_at = serializers.DateTimeField(allow_null=True, source="stored.used_at", default=None)
    uses = serializers.IntegerField()


class BroughtSerializer(serializers.Serializer[Any]):
    """A setting that each user brings, and where its value comes from for you."""

    key = serializers.CharField()
    name = serializers.CharField(source="label")
    is_required = serializers.BooleanField(source="declared.is_required")
    is_secret = serializers.BooleanField(source="declared.is_secret")
    is_missing = serializers.BooleanField(help_text="A call asks you for it.")
    why = serializers.CharField(allow_blank=True, help_text="Which of the sources counts, in words.")
    sources = SourceSerializer(many=True)


class BroughtListSerializer(serializers.Serializer[Any]):
    items = BroughtSerializer(many=True, source="settings")


class CredentialSerializer(StrictSerializer):
    """A value, and when it stops counting."""

    value = serializers.CharField(
        write_only=True, trim_whitespace=False, max_length=MAX_VALUE, help_text="Sealed, and never shown again."
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, help_text="null: until it is deleted.")


class ExpirySerializer(StrictSerializer):
    expires_at = serializers.DateTimeField(allow_null=True, help_text="null: until it is deleted.")


class OrganizationCredentialSerializer(CredentialSerializer):
    server = serializers.CharField(
        required=False, allow_null=True, max_length=100, help_text="The name of one of its servers; null: all of them."
    )


class OfServerQuery(serializers.Serializer[Any]):
    server = serializers.CharField(
        required=False, max_length=100, default="", help_text="The name of one of its servers; none: what is for all."
    )


def own_shown(row: ServerCredentials) -> list[dict[str, Any]]:
    """What StoredSerializer writes of one's own at one server."""
    own = [setting.own for setting in row.settings] + list(row.left)
    return [_own(row.deployment.label, source) for source in own if source is not None]


def kept_shown(row: Kept) -> dict[str, Any]:
    return _shown(row.deployment.label if row.deployment is not None else None, row.stored, row.uses)


def _own(server: str, source: Source) -> dict[str, Any]:
    assert source.stored is not None
    return _shown(server, source.stored, source.uses)


def _shown(server: str | None, stored: Stored, uses: int) -> dict[str, Any]:
    names = ("set_at", "expires_at", "is_expired", "used_at")
    return {"server": server, "key": stored.name, "uses": uses, **{name: getattr(stored, name) for name in names}}
