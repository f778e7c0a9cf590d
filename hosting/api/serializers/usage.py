"""How a deployment is used, and what its owner may use, as the API writes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from common.api.paging import PageQuery
from hosting.models import CallRecord
from hosting.quotas import quotas


class CallSerializer(serializers.Serializer[Any]):
    """One request at the endpoint. Bodies are never kept."""

    at = serializers.DateTimeField()
    method = serializers.CharField()
    tool = serializers.CharField(allow_blank=True, help_text="Or prompt, or resource.")
    user = serializers.CharField(source="user.username", default=None, allow_null=True, help_text="null: nobody known.")
    client = serializers.CharField(allow_blank=True)
    era = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(CallRecord.Status.choices)
    microseconds = serializers.IntegerField()
    bytes_in = serializers.IntegerField()
    bytes_out = serializers.IntegerField()
    was_cold = serializers.BooleanField(help_text="It waited for a start.")


class CallQuery(PageQuery):
    tool = serializers.CharField(required=False, default="", max_length=256)
    status = serializers.ChoiceField(CallRecord.Status.choices, required=False, default="")


class DaysQuery(serializers.Serializer[Any]):
    days = serializers.IntegerField(required=False, default=7, min_value=1, max_value=90, help_text="Back from now.")


class ToolStatsSerializer(serializers.Serializer[Any]):
    tool = serializers.CharField(allow_blank=True, help_text="Empty in the total.")
    calls = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]  # no Serializer.errors
    p50_ms = serializers.FloatField()
    p95_ms = serializers.FloatField()
    cold_starts = serializers.IntegerField()


class StatsSerializer(serializers.Serializer[Any]):
    """Calls of tools. Percentiles are of those that were answered."""

    total = ToolStatsSerializer()
    tools = ToolStatsSerializer(many=True)


class ConnectionSerializer(serializers.Serializer[Any]):
    """What a server did with one host and port."""

    host = serializers.CharField()
    port = serializers.IntegerField()
    connections = serializers.IntegerField()
    refused = serializers.IntegerField()
    octets = serializers.IntegerField(help_text="Both ways.")


class EgressSerializer(serializers.Serializer[Any]):
    """The hosts that a server connected to, the most used first; at most 100."""

    connections = ConnectionSerializer(many=True)


class OutputLineSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    instance = serializers.CharField()
    stream = serializers.CharField(help_text="stderr, or protocol for what the platform notes.")
    line = serializers.CharField(allow_blank=True)


class OutputSerializer(serializers.Serializer[Any]):
    """The last lines that a server's instances printed, oldest first. Secrets are replaced."""

    lines = OutputLineSerializer(many=True)


class QuotaQuery(serializers.Serializer[Any]):
    owner = serializers.CharField(required=False, max_length=100, help_text="You, or an organization of yours.")


class AmountsSerializer(serializers.Serializer[Any]):
    deployments = serializers.IntegerField()
    awake_instances = serializers.IntegerField()
    memory_bytes = serializers.IntegerField(help_text="Of awake instances.")
    build_seconds = serializers.FloatField(help_text="This month.")
    store_bytes = serializers.IntegerField()
    egress_bytes = serializers.IntegerField(help_text="This month.")


class QuotaSerializer(serializers.Serializer[Any]):
    """What an owner uses, and may use."""

    owner = serializers.CharField()
    used = AmountsSerializer()
    allowed = AmountsSerializer()


def quota_shown(found: quotas.Account) -> dict[str, Any]:
    return {"owner": found.owner.display, "used": asdict(found.used), "allowed": asdict(found.allowed)}
