"""Accounts elsewhere that this site uses as an OAuth client, and signing in to one while it lasts."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from common import clock, ids
from oauth.models.providers import Provider


class _ClientElsewhere(models.Model):
    """Who we are at the issuer, and where the account stands. `sealed` holds secrets (oauth.outbound.vault)."""

    class Source(models.TextChoices):
        DOCUMENT = "document", gettext_lazy("A document of ours is its id")
        REGISTERED = "registered", gettext_lazy("It registered itself")
        GIVEN = "given", gettext_lazy("Its owner was given an id")

    subject_id = models.UUIDField(help_text="what it is used for: a deployment")
    name = models.CharField(
        max_length=200, blank=True, default="", help_text='the setting of that user\'s own; "": for all callers'
    )
    provider = models.ForeignKey(Provider, null=True, on_delete=models.SET_NULL, related_name="+")
    server_url = models.CharField(
        max_length=2048, blank=True, help_text='where the token goes, and nowhere else; "": into an instance'
    )
    issuer = models.CharField(max_length=2048)
    server = models.JSONField(help_text="its metadata as it was believed (oauth.outbound.discovery.Server)")
    client_id = models.CharField(max_length=500)
    client_method = models.CharField(max_length=30)
    client_source = models.CharField(max_length=10, choices=Source.choices)
    sealed = models.BinaryField(editable=False)

    class Meta:
        abstract = True


class _Account(_ClientElsewhere):
    """A person's, and what it is for."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    given_to = models.JSONField(null=True, help_text="of a user's own: what it was connected for, as it was then")
    resource = models.CharField(max_length=2048, blank=True, help_text="what it is for (RFC 8707)")
    scopes = models.JSONField(default=list)

    class Meta:
        abstract = True


class Connection(_Account):
    """An account elsewhere. What was ended is a `Revocation`."""

    class State(models.TextChoices):
        CONNECTED = "connected", gettext_lazy("Connected")
        AGAIN = "again", gettext_lazy("Needs signing in again")

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CONNECTED)
    reason = models.TextField(blank=True, help_text="why it needs signing in again")
    requested_scopes = models.JSONField(default=list, help_text="what its person agreed to; `scopes`: what came of it")
    asked_scopes = models.JSONField(default=list, help_text="what the server last wanted besides")
    serial = models.PositiveIntegerField(default=1, help_text="grows with each token")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="of the access token; null: it didn't say")
    refresh_at = models.DateTimeField(null=True, blank=True, db_index=True, help_text="null: it can't be refreshed")
    refreshing_until = models.DateTimeField(null=True, blank=True, help_text="somebody is at it until then at most")
    failures = models.PositiveIntegerField(default=0, help_text="refreshes in a row that came to nothing")
    connected_at = models.DateTimeField(default=clock.now)
    refreshed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["subject_id"],
                condition=models.Q(name=""),
                name="one_connection_a_subject",
            ),
            models.UniqueConstraint(
                fields=["subject_id", "user", "name"],
                condition=~models.Q(name=""),
                name="one_connection_a_user",
            ),
            models.CheckConstraint(condition=models.Q(state__in=["connected", "again"]), name="connection_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.issuer} for {self.subject_id}"

    @property
    def issuer_host(self) -> str:
        """What people are shown."""
        return urlsplit(self.issuer).netloc


class ConnectionAttempt(_Account):
    """Somebody was sent elsewhere to sign in. The row goes with the first answer, or when it is too late for one."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False, help_text="SHA-256 of the state")
    browser = models.CharField(max_length=64, help_text="SHA-256 of what the browser's session holds")
    page = models.CharField(max_length=64, blank=True, default="", help_text="of this site, that its person came from")
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.issuer} for {self.subject_id}"


class Revocation(_ClientElsewhere):
    """Tokens of an account that was ended here, kept until they are revoked there or that is given up. It outlives its
    person and its deployment: both are bare ids."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    user_id = models.UUIDField()
    tries = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=clock.now, db_index=True, help_text="of the next try")

    def __str__(self) -> str:
        return f"{self.issuer} for {self.subject_id}"
