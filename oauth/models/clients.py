"""What we know of a client besides what the toolkit keeps, and what people allowed clients to do."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy

from common import clock, ids
from oauth.models.toolkit import Application


class ClientProfile(models.Model):
    """One-to-one with the toolkit's application, made together with it."""

    class Method(models.TextChoices):
        """How the client proves who it is at the token endpoint (RFC 7591, 2)."""

        NONE = "none", gettext_lazy("It can't: a public client")
        BASIC = "client_secret_basic", gettext_lazy("A secret, in the Authorization header")
        POST = "client_secret_post", gettext_lazy("A secret, in the body")
        KEY = "private_key_jwt", gettext_lazy("A key of its own (RFC 7523)")

    application = models.OneToOneField(Application, on_delete=models.CASCADE, related_name="profile")
    method = models.CharField(max_length=30, choices=Method.choices, default=Method.NONE)
    grants: Any = ArrayField(models.CharField(max_length=60), default=list, help_text="grant types (RFC 7591)")
    scopes = models.CharField(max_length=200, blank=True, help_text="at most these; empty: all that a person may grant")
    jwks: Any = models.JSONField(default=dict, blank=True, help_text="public keys, as given or last fetched")
    jwks_uri = models.CharField(max_length=500, blank=True)
    jwks_fetched_at = models.DateTimeField(null=True, blank=True)
    client_uri = models.CharField(max_length=500, blank=True)
    digest = models.CharField(max_length=64, blank=True, help_text="of what a consent rests on: redirects and keys")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="when its document is to be fetched again")
    last_used_at = models.DateTimeField(null=True, blank=True, db_index=True)
    blocked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return f"profile of {self.application_id}"


class Consent(models.Model):
    """What a person allowed a client at one server. The row stays when it is revoked, for what it says of before."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="consents")
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="consents")
    resource = models.CharField(
        max_length=500, blank=True, help_text="the audience; empty: the site, which opens nothing"
    )
    resource_id = models.UUIDField(null=True, blank=True, help_text="what has this URL: a later one is another thing")
    organization_id = models.UUIDField(null=True, blank=True, db_index=True, help_text="whose server it is, of one's")
    scopes = models.CharField(max_length=200, help_text="separated by spaces")
    digest = models.CharField(max_length=64, blank=True, help_text="the client's, when this was given")
    granted_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="when a token was last issued for it")
    revoked_at = models.DateTimeField(null=True, blank=True)
    blocked_at = models.DateTimeField(null=True, blank=True, help_text="the person wants no further question")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "application", "resource"], name="consent_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["resource_id"], name="consent_resource")]

    def __str__(self) -> str:
        return f"{self.user_id} lets {self.application_id} use {self.resource}"
