"""The keys that sign access tokens."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy

from common import clock


class SigningKey(models.Model):
    """One key on its way: published, then signing, then only known until what it signed has expired."""

    class State(models.TextChoices):
        NEXT = "next", gettext_lazy("Published, not signing yet")
        ACTIVE = "active", gettext_lazy("Signing")
        RETIRING = "retiring", gettext_lazy("Not signing any more")

    kid = models.CharField(max_length=64, primary_key=True, help_text="RFC 7638 thumbprint")
    sealed = models.BinaryField(help_text="the private key, under the site's sealing key")
    public = models.JSONField(help_text="as in the JWK Set")
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEXT)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state__in=["next", "active"]), name="one_key_signs"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kid} ({self.state})"
