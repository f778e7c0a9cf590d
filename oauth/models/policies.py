"""What an organization lets programs do at its servers, whatever people allow them."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models


class ClientPolicy(models.Model):
    """An organization without one lets in what its people let in."""

    organization = models.OneToOneField(
        "accounts.Organization", primary_key=True, on_delete=models.CASCADE, related_name="client_policy"
    )
    clients: Any = ArrayField(
        models.CharField(max_length=255),
        default=list,
        blank=True,
        help_text="ids, or hosts of their documents; empty: every client",
    )
    blocked: Any = ArrayField(models.CharField(max_length=255), default=list, blank=True, help_text="ids")
    is_verified_only = models.BooleanField(default=False, help_text="no clients that registered themselves")
    servers: Any = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, help_text="folded names; empty: all servers"
    )
    scopes = models.CharField(max_length=200, blank=True, help_text="at most these; empty: all")

    def __str__(self) -> str:
        return f"policy of {self.organization_id}"
