"""Identity providers that organizations trust, and the people whom those know (SEP-990)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from common import clock, ids


class TrustedIdp(models.Model):
    """An organization's identity provider, and what the organization lets it decide. Several may name one issuer: each
    speaks for the servers of its own organization only."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    organization = models.ForeignKey("accounts.Organization", on_delete=models.CASCADE, related_name="idps")
    issuer = models.CharField(max_length=500)
    jwks_uri = models.CharField(max_length=500)
    jwks: Any = models.JSONField(default=dict, blank=True, help_text="as last fetched")
    jwks_fetched_at = models.DateTimeField(null=True, blank=True)
    is_enabled = models.BooleanField(default=True)
    scopes = models.CharField(max_length=200, default="mcp:read mcp:call", help_text="at most these")
    clients: Any = ArrayField(
        models.CharField(max_length=255), default=list, blank=True, help_text="ids; empty: every client with a proof"
    )
    resources: Any = ArrayField(
        models.UUIDField(), default=list, blank=True, help_text="ids; empty: all servers of the organization"
    )
    email_domains: Any = ArrayField(
        models.CharField(max_length=253),
        default=list,
        blank=True,
        help_text="an account with a verified address there may be linked by it",
    )
    creates_users = models.BooleanField(default=False, help_text="makes an account for whom it does not know yet")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["organization", "issuer"], name="idp_once"),
        ]

    def __str__(self) -> str:
        return self.issuer


class EnterpriseIdentity(models.Model):
    """Who a subject of an identity provider is here. The subject, never the address, is what stays the same."""

    idp = models.ForeignKey(TrustedIdp, on_delete=models.CASCADE, related_name="identities")
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="enterprise_identities")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["idp", "subject"], name="identity_once"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} is {self.user_id}"
