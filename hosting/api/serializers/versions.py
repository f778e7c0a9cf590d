"""A version as the API writes it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from hosting.api.serializers.deployments import OriginSerializer, UploadSerializer
from hosting.models import Deployment, DeploymentVersion

STATES = ["waiting", "built", "failed"]


class VersionSerializer(serializers.Serializer[Any]):
    """A version in a list."""

    number = serializers.IntegerField()
    reference = serializers.CharField()
    resolved = serializers.CharField(allow_blank=True, help_text="What the reference stood for when it was built.")
    is_current = serializers.BooleanField(help_text="It is the one that serves.")
    state = serializers.ChoiceField(STATES)
    failure = serializers.CharField(allow_blank=True, help_text="Why its build failed.")
    notices = serializers.ListField(child=serializers.CharField(), help_text="Sentences about how it was made.")
    as_of = serializers.DateField(allow_null=True, help_text="Dependencies were resolved as of this day.")
    created_at = serializers.DateTimeField()
    built_at = serializers.DateTimeField(allow_null=True)


class VersionDetailSerializer(VersionSerializer):
    """A version, with the log of its build."""

    build_log = serializers.CharField(allow_blank=True)


class VersionNewSerializer(OriginSerializer):
    """What the new version is made of; nothing: the same reference again, resolved to the newest that it allows."""


class VersionUploadSerializer(UploadSerializer):
    """A new version of uploaded source."""


def version_shown(version: DeploymentVersion, deployment: Deployment) -> dict[str, Any]:
    """What VersionSerializer writes."""
    return {
        **{name: getattr(version, name) for name in _OWN},
        "is_current": version.pk == deployment.current_version_id,
        "state": "failed" if version.failure else "built" if version.built_at else "waiting",
    }


_OWN = frozenset(VersionSerializer._declared_fields) - {"is_current", "state"}
