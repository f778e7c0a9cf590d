"""Tokens that are no affair of the toolkit, and the list of those that must not be accepted any more."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from common import clock, ids


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


class RevokedToken(models.Model):
    """An access token whose row went before its time. Every web process reads these twice a second."""

    jti = models.CharField(max_length=64, primary_key=True, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(default=clock.now, db_index=True)

    def __str__(self) -> str:
        return self.jti


class UsedAssertion(models.Model):
    """The `jti` of a JWT that somebody signed for us, until it expires: none counts twice (RFC 7523, 3)."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False, help_text="SHA-256 of issuer and jti")
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest
