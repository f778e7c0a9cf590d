"""OAuth records. The six models of django-oauth-toolkit are ours from the first migration on, because none of them can
be swapped in later; what we add to them goes into tables of our own, so that the toolkit's next fields don't collide.
"""

# mypy: disable-error-code="misc"
# django-oauth-toolkit has no types, so its base classes are Any.

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractDeviceGrant,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
    ApplicationManager,
)

from common import clock, ids


class Application(AbstractApplication):
    objects = ApplicationManager()

    class Meta(AbstractApplication.Meta):
        abstract = False


class Grant(AbstractGrant):
    class Meta(AbstractGrant.Meta):
        abstract = False


class AccessToken(AbstractAccessToken):
    class Meta(AbstractAccessToken.Meta):
        abstract = False


class RefreshToken(AbstractRefreshToken):
    class Meta(AbstractRefreshToken.Meta):
        abstract = False


class IDToken(AbstractIDToken):
    class Meta(AbstractIDToken.Meta):
        abstract = False


class DeviceGrant(AbstractDeviceGrant):
    class Meta(AbstractDeviceGrant.Meta):
        abstract = False


class EndpointToken(models.Model):
    """A token for one MCP endpoint that an operator issued. The token itself is nowhere; its `jti` revokes it.

    A user who has tokens is switched off, not deleted: a token of a row that is gone could not be revoked.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    jti = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="endpoint_tokens")
    deployment_id = models.UUIDField(help_text="no foreign key: hosting lies above oauth")
    resource = models.CharField(max_length=500, help_text="the audience: the endpoint's full URL")
    scopes = models.CharField(max_length=200, help_text="separated by spaces")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["revoked_at"], name="endpoint_token_revoked"),
            models.Index(fields=["deployment_id", "-created_at"], name="endpoint_token_deployment"),
        ]

    def __str__(self) -> str:
        return f"{self.resource} until {self.expires_at:%Y-%m-%d %H:%M}"


class ApiToken(models.Model):
    """A token for the platform API. Only its digest is kept; `prefix` is what people recognise it by."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256, hexadecimal")
    prefix = models.CharField(max_length=30, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    scopes = models.CharField(max_length=200, help_text="separated by spaces")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.prefix}… until {self.expires_at:%Y-%m-%d %H:%M}"

    def covers(self, scope: str) -> bool:
        return scope in self.scopes.split()
