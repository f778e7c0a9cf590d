"""Names that wait for an operator's look, and what people reported."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from common import clock
from registry.models.servers import Server


class HeldName(models.Model):
    """A name that somebody wanted to publish and that looks like another one."""

    class State(models.TextChoices):
        WAITING = "waiting", gettext_lazy("Waits for an operator")
        ALLOWED = "allowed", gettext_lazy("Allowed")
        REFUSED = "refused", gettext_lazy("Refused")

    name = models.CharField(max_length=200, unique=True, db_collation="C")
    resembles = models.CharField(max_length=200)
    reason = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    note = models.CharField(max_length=500, blank=True, help_text="of who decided; its publisher reads it")
    asked_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-asked_at",)

    def __str__(self) -> str:
        return self.name


class Report(models.Model):
    """What a person says is wrong with a server."""

    class Kind(models.TextChoices):
        MALICIOUS = "malicious", gettext_lazy("It does harm: steals data, runs something hidden")
        IMPERSONATION = "impersonation", gettext_lazy("It pretends to be another server, person or company")
        SPAM = "spam", gettext_lazy("It is spam, or does nothing")
        BROKEN = "broken", gettext_lazy("It does not work, or is described wrongly")
        OTHER = "other", gettext_lazy("Something else")

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="reports")
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    text = models.TextField(max_length=2000, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["created_at"], name="registry_open_reports", condition=models.Q(closed_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.server} {self.kind}"
