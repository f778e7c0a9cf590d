"""Tasks as the API writes them, and what it takes."""

from __future__ import annotations

from typing import Any

import msgspec
from rest_framework import serializers

from common import clock
from common.api.fields import ObjectField, StrictSerializer
from common.api.paging import PageQuery
from hosting.models import Task
from hosting.tasks import again, hiding, selectors
from hosting.tasks.pace import number, pace_of
from hosting.tasks.states import Outcome, State

STATES = [(each.value, each.value) for each in State]
FILTERS = [(name, name) for name in selectors.FILTERS]
MAX_RESULT = 1_000_000  # octets that come with a task; a larger result is at its address


class TasksQuery(PageQuery):
    state = serializers.ChoiceField(
        FILTERS, required=False, default="", allow_blank=True, help_text="Only those in this state."
    )
    deployment = serializers.UUIDField(required=False, default=None, help_text="The id of a deployment.")


class ProgressShape(serializers.Serializer[Any]):
    progress = serializers.FloatField(allow_null=True)
    total = serializers.FloatField(allow_null=True)
    message = serializers.CharField(allow_blank=True)
    fraction = serializers.FloatField(allow_null=True, help_text="From 0 to 1, where the total is known.")
    left_seconds = serializers.FloatField(allow_null=True, help_text="Estimated of the pace so far.")


class TaskShape(serializers.Serializer[Any]):
    """A task of yours in a list."""

    id = serializers.CharField()
    deployment = serializers.CharField(help_text="owner/name")
    tool = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    outcome = serializers.CharField(
        allow_null=True, help_text="How it ended: result, tool_error, error, cancelled or lost. null while it is open."
    )
    reason = serializers.CharField(allow_blank=True, help_text="How it goes, or why it ended so, in words.")
    origin = serializers.ChoiceField(Task.Origin.choices)
    attempts = serializers.IntegerField(help_text="How often its call was begun.")
    progress = ProgressShape(source="shown_progress")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Then it is deleted, if it is over.")
    result_bytes = serializers.IntegerField()


class TaskDetailShape(TaskShape):
    """A task of yours."""

    arguments = serializers.DictField(help_text="What the tool was called with; secrets are hidden.")
    questions = serializers.DictField(help_text="Open ones by key, each with method and params as the server asked.")
    result = serializers.DictField(
        allow_null=True, help_text="The CallToolResult; null where there is none or it is larger than 1 MB."
    )
    error = serializers.DictField(allow_null=True, help_text="The JSON-RPC error that it ended with.")


class TaskAnswerShape(StrictSerializer):
    """An answer to an open question: the first one counts, wherever it comes from."""

    key = serializers.CharField(max_length=300, help_text="Of the question.")
    result = ObjectField(help_text="Such as {“action”: “accept”, “content”: {…}} for an elicitation.")


def task_shown(task: Task) -> dict[str, Any]:
    """What TaskShape writes."""
    pace = pace_of(task.samples, task.progress, clock.now().timestamp())
    message = task.progress.get("message")
    return {
        **{name: getattr(task, name) for name in _OWN},
        "outcome": task.outcome or None,
        "deployment": task.deployment.label,
        "shown_progress": {
            "progress": number(task.progress.get("progress")),
            "total": number(task.progress.get("total")),
            "message": message if isinstance(message, str) else "",
            "fraction": pace.fraction,
            "left_seconds": pace.left_seconds,
        },
    }


def task_shown_whole(task: Task) -> dict[str, Any]:
    """What TaskDetailShape writes."""
    body = selectors.result_of(task) if 0 < task.result_bytes <= MAX_RESULT else b""
    found = _decoded(body)
    is_error = task.outcome == Outcome.ERROR
    return {
        **task_shown(task),
        "arguments": hiding.hidden(again.arguments_of(task)),
        "questions": task.questions,
        "result": None if is_error else found,
        "error": found if is_error else None,
    }


def _decoded(body: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, dict) else None


_OWN = frozenset(TaskShape._declared_fields) - {"deployment", "outcome", "progress"}
