"""A tool as the API writes it, with what its owner is asked to approve."""

from __future__ import annotations

import json
from difflib import unified_diff
from typing import Any

from rest_framework import serializers

from common.api.fields import StrictSerializer
from hosting.models import Deployment, Tool
from hosting.tools.definitions import Difference, differences
from hosting.tools.invisible import has_invisible

_SUPPORT = ["optional", "required", "forbidden"]


class ToolChangedFieldSerializer(serializers.Serializer[Any]):
    """One field of a tool that differs from what was approved."""

    field = serializers.CharField()
    diff = serializers.CharField(allow_blank=True, help_text="Its lines, unified, without a head.")


class ToolSerializer(serializers.Serializer[Any]):
    """A tool of a server, as it was last seen."""

    name = serializers.CharField()
    definition = serializers.DictField(help_text="What the server says of it (MCP Tool).")
    digest = serializers.CharField(help_text="Of the definition: approve it by this.")
    is_enabled = serializers.BooleanField()
    is_held = serializers.BooleanField(help_text="It waits for approval, and clients don't see it.")
    is_new = serializers.BooleanField(help_text="Nothing of it was ever approved.")
    has_invisible = serializers.BooleanField(help_text="Its text has characters that nobody sees.")
    changes = ToolChangedFieldSerializer(many=True, help_text="Of a held tool: what differs from what was approved.")
    task_support = serializers.ChoiceField(_SUPPORT)
    seen_at = serializers.DateTimeField()
    approved_at = serializers.DateTimeField(allow_null=True)
    approved_by = serializers.CharField(allow_null=True, help_text="null: it was approved as it came.")


class ToolChangeSerializer(StrictSerializer):
    """At least one of these."""

    is_enabled = serializers.BooleanField(required=False, help_text="For every caller.")
    approve = serializers.CharField(
        required=False, max_length=64, help_text="The digest of the definition that you have read and approve."
    )
    task_support = serializers.ChoiceField(_SUPPORT, required=False, help_text="Whether it runs as a task.")


def tool_shown(tool: Tool, deployment: Deployment) -> dict[str, Any]:
    """What ToolSerializer writes."""
    is_held = tool.is_held and deployment.tool_approval == Deployment.Approval.ASK
    return {
        **{name: getattr(tool, name) for name in ("name", "is_enabled", "seen_at", "approved_at")},
        "definition": tool.seen,
        "digest": tool.seen_digest,
        "is_held": is_held,
        "is_new": tool.approved is None,
        "has_invisible": has_invisible(json.dumps(tool.seen, ensure_ascii=False)),
        "changes": [_diff(each) for each in differences(tool.approved, tool.seen)] if is_held else [],
        "task_support": tool.task_support or "optional",
        "approved_by": tool.approved_by.username if tool.approved_by else None,
    }


def _diff(difference: Difference) -> dict[str, str]:
    lines = list(unified_diff(difference.before, difference.after, lineterm=""))
    return {"field": difference.field, "diff": "\n".join(lines[2:])}
