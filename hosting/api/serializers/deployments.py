"""A deployment as the API reads and writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from common.api.fields import ObjectField, StrictSerializer, TextListField, TextsField
from hosting import names
from hosting.building.making import Origin, Upload
from hosting.changing import CHANGEABLE
from hosting.configuration.configuring import MAX_HAND_OFF_SECONDS, MAX_TITLE
from hosting.configuration.egress_policy import MAX_HOSTS
from hosting.configuration.inputs import MAX_SETTINGS
from hosting.configuration.limits import MAX_IDLE_SECONDS, bounds
from hosting.credentials.personal import MAX_PERSONAL
from hosting.kinds.archive import MAX_ARCHIVE_BYTES
from hosting.kinds.reference import MAX_REFERENCE
from hosting.models import Deployment
from hosting.states import State


class DeploymentSerializer(serializers.Serializer[Any]):
    """A deployment in a list."""

    id = serializers.UUIDField()
    owner = serializers.CharField(source="owner.display")
    name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    mcp_url = serializers.URLField(help_text="The endpoint for MCP clients.")
    kind = serializers.CharField(help_text="pypi, npm, source or remote.")
    reference = serializers.CharField(help_text="What it is made of.")
    resolved = serializers.CharField(allow_blank=True, help_text="What the reference stood for at its last build.")
    access = serializers.ChoiceField(Deployment.Access.choices)
    is_anonymous = serializers.BooleanField(help_text="Callable without an account.")
    state = serializers.ChoiceField(State.choices)
    reason = serializers.CharField(allow_blank=True, help_text="Why it is in this state, in words.")
    version = serializers.IntegerField(allow_null=True, help_text="The number of the version that serves.")
    tool_count = serializers.IntegerField(allow_null=True, help_text="null until the server was asked.")
    can_manage = serializers.BooleanField(help_text="You may change it.")
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class LimitsSerializer(StrictSerializer):
    """Of one instance. null: the site's default."""

    memory_bytes = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=2**53)
    processes = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=2**31)
    disk_bytes = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=2**53)
    message_bytes = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=2**53)


class ConfigurationSerializer(StrictSerializer):
    """How a deployment runs. All of it can be changed by PATCH."""

    title = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TITLE)
    access = serializers.ChoiceField(Deployment.Access.choices, required=False)
    is_anonymous = serializers.BooleanField(
        required=False, help_text="Callable without an account. Takes a permission of its own."
    )
    shares_credentials = serializers.BooleanField(
        required=False, help_text="You confirm that anonymous callers use the secrets of its settings."
    )
    limits = LimitsSerializer(required=False)
    idle_seconds = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=MAX_IDLE_SECONDS,
        help_text="After which an instance that nobody uses goes to sleep. null: the site's default.",
    )
    egress = serializers.ChoiceField(Deployment.Egress.choices, required=False, help_text="What it may reach.")
    egress_hosts = serializers.ListField(
        child=serializers.CharField(max_length=300),
        required=False,
        max_length=MAX_HOSTS,
        help_text="For egress “listed”: api.example.org, or *.example.org for everything below it.",
    )
    isolation = serializers.ChoiceField(
        Deployment.Isolation.choices, required=False, help_text="Who shares an instance."
    )
    has_data_folder = serializers.BooleanField(required=False, help_text="It keeps a folder over its sleep.")
    runs_install_code = serializers.BooleanField(
        required=False,
        help_text="You consent to install scripts and source distributions of this package, from the next build on.",
    )
    has_tasks = serializers.BooleanField(required=False, help_text="Its tools may run as tasks.")
    hand_off_seconds = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_HAND_OFF_SECONDS,
        help_text="A call that runs longer becomes a task, for clients that know none. 0: never.",
    )
    asks_on_site = serializers.BooleanField(
        required=False, help_text="What a caller's client can't show is asked on the page of a task."
    )
    tool_approval = serializers.ChoiceField(
        Deployment.Approval.choices, required=False, help_text="What happens when a tool changes what it says."
    )
    traces_bodies = serializers.BooleanField(
        required=False,
        help_text="Bodies of calls are shown in the log. Callers are told; those without an account are left out.",
    )
    personal_inputs = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        max_length=MAX_PERSONAL,
        help_text="Settings that each user brings: names, or keys such as env:API_KEY.",
    )
    file_inputs = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        max_length=MAX_SETTINGS,
        help_text="Variables whose value it is given as a file that they name: names, or keys such as env:CONFIG.",
    )
    check_tool = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=256,
        help_text="Tries what a user brought. Empty: their copy is started, and its tools are listed.",
    )
    check_arguments = ObjectField(required=False, help_text="Of check_tool, the same for every user.")
    check_confirmed = serializers.BooleanField(
        required=False, help_text="You confirm that calling check_tool does no harm, though it may not only read."
    )


class DeploymentDetailSerializer(DeploymentSerializer):
    """A deployment. What only its managers may see is null for others."""

    missing_setting = serializers.CharField(
        allow_null=True, help_text="The setting that its last failed start asked for; managers only."
    )
    held_tools = serializers.IntegerField(allow_null=True, help_text="Tools that wait for approval; managers only.")
    configuration = ConfigurationSerializer(allow_null=True, help_text="Managers only.")


class OriginSerializer(StrictSerializer):
    """What a version is made of: exactly one of the three."""

    reference = serializers.CharField(
        required=False,
        max_length=MAX_REFERENCE,
        help_text="pypi:NAME[==VERSION], npm:NAME[@VERSION], registry:NAME[@VERSION] of this site's registry, "
        "remote:https://… or source:DIGEST of an upload of yours.",
    )
    url = serializers.CharField(
        required=False, max_length=MAX_REFERENCE, help_text="The address of a server that runs elsewhere."
    )
    server_json = ObjectField(required=False, help_text="A server.json of the MCP registry.")


class _NewSerializer(StrictSerializer):
    name = serializers.CharField(max_length=names.MAX_LENGTH, help_text="Part of its address.")
    owner = serializers.CharField(
        required=False, max_length=100, help_text="You, if left out, or an organization of yours."
    )
    title = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TITLE)
    access = serializers.ChoiceField(Deployment.Access.choices, required=False)
    settings = TextsField(required=False, help_text="Plain values by name, as at …/settings.")
    secrets = TextsField(required=False, write_only=True, help_text="Secret values by name. They are sealed.")
    arguments = TextListField(required=False, help_text="Of the command, after all others.")


class DeploymentNewSerializer(OriginSerializer, _NewSerializer):
    """A new deployment, of a reference, a remote server's address, or a server.json."""


class UploadSerializer(StrictSerializer):
    """Source: one Python file with inline metadata (PEP 723), or a zip with pyproject.toml or package.json."""

    source = serializers.FileField(allow_empty_file=True, max_length=200)  # type: ignore[assignment]  # no Field.source


class DeploymentUploadSerializer(UploadSerializer, _NewSerializer):
    """A new deployment of uploaded source. `settings`, `secrets` and `arguments` are JSON in a form."""


def origin_of(given: dict[str, Any]) -> Origin:
    """Takes what describes the origin out of a serializer's data."""
    source = given.pop("source", None)
    return Origin(
        reference=given.pop("reference", ""),
        url=given.pop("url", ""),
        server_json=given.pop("server_json", None),
        upload=None if source is None else Upload(source.name, source.read()),
    )


def deployment_shown(deployment: Deployment, mcp_url: str, can_manage: bool) -> dict[str, Any]:
    """What DeploymentSerializer writes."""
    version = deployment.current_version
    return {
        **{name: getattr(deployment, name) for name in _OWN},
        "mcp_url": mcp_url,
        "version": version.number if version else None,
        "resolved": version.resolved if version else "",
        "can_manage": can_manage,
    }


def configuration_shown(deployment: Deployment) -> Mapping[str, Any]:
    """What ConfigurationSerializer writes: every field, limits with null for those that are the site's default."""
    found = {name: getattr(deployment, name) for name in CHANGEABLE}
    return {**found, "limits": {name: deployment.limits.get(name) for name in bounds()}}


_OWN = frozenset(DeploymentSerializer._declared_fields) - {"mcp_url", "version", "resolved", "can_manage"}
MAX_UPLOAD_BODY = MAX_ARCHIVE_BYTES + 512 * 1024
