"""The tools of a deployment: which are switched on, and what their owner approved of them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from common import clock
from hosting.models.deployments import Deployment


class Tool(models.Model):
    """One tool by name. Held back while `seen_digest` differs from `approved_digest`, unless approval is automatic.

    Digests are of name, description, schemas, annotations and task support (`hosting.tools.records`).
    """

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="tools")
    name = models.CharField(max_length=256)
    is_enabled = models.BooleanField(default=True)
    is_listed = models.BooleanField(default=True, help_text="in the last list that the server gave")
    task_support = models.CharField(
        max_length=10,
        blank=True,
        choices=[("optional", "Optional"), ("required", "Required"), ("forbidden", "Forbidden")],
        help_text="whether it runs as a task; empty: the default, optional",
    )
    may_run_again = models.BooleanField(
        default=False, help_text="its owner lets a task whose call was lost run a second time, where its hints allow it"
    )
    is_guarded = models.BooleanField(default=False, help_text="callers need the scope mcp:admin for it")
    seen = models.JSONField(default=dict)
    seen_digest = models.CharField(max_length=64)
    seen_at = models.DateTimeField(default=clock.now)
    approved = models.JSONField(null=True, blank=True)
    approved_digest = models.CharField(max_length=64, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("name",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["deployment", "name"], name="tool_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_repeatable(self) -> bool:
        """Whether the tool says of itself that a second run does no harm (2025-11-25 server/tools, ToolAnnotations)."""
        hints = self.seen.get("annotations")
        return isinstance(hints, dict) and (hints.get("readOnlyHint") is True or hints.get("idempotentHint") is True)

    @property
    def is_held(self) -> bool:
        return self.seen_digest != self.approved_digest
