"""What a person was asked to bring, and for which call."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from common import clock, ids


class Elicitation(models.Model):
    """A page that one user was sent to by one client's call. Its id is all that its address says."""

    class State(models.TextChoices):
        OPEN = "open", gettext_lazy("Open")
        DONE = "done", gettext_lazy("Done")
        DECLINED = "declined", gettext_lazy("Declined")
        CANCELLED = "cancelled", gettext_lazy("Cancelled")
        EXPIRED = "expired", gettext_lazy("Expired")

    id = models.CharField(primary_key=True, max_length=64, default=ids.random_token, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    client_id = models.TextField()
    deployment = models.ForeignKey("Deployment", on_delete=models.CASCADE, related_name="+")
    session = models.CharField(max_length=64, blank=True, help_text="at the runner, where it is told of the end")
    runner_address = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("created_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(state__in=["open", "done", "declined", "cancelled", "expired"]),
                name="elicitation_state_known",
            ),
            models.UniqueConstraint(
                fields=["user", "client_id", "deployment", "session"],
                condition=Q(state="open"),
                name="elicitation_open_once",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="elicitation_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.state} for {self.user_id}"

    @property
    def owner(self) -> str:
        """What runners know the client's principal by (mcp_endpoint.context)."""
        return f"{self.user_id} {self.client_id} {self.deployment_id}"

    @property
    def is_expired(self) -> bool:
        is_late = self.state == self.State.OPEN and self.expires_at <= clock.now()
        return is_late or self.state == self.State.EXPIRED
