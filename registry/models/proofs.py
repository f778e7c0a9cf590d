"""Who may publish where, besides what each proof says by itself: the operator's word, and what has been seen."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import Name
from common import clock, ids

NAMESPACE_CHARACTERS = 200


class TrustedPublisher(models.Model):
    """An OpenID Connect issuer whose tokens, with these claims, may publish to (or edit) these names.

    `claims` is {name: value or [values]}: each must be in a token, as one of those values.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    label = models.CharField(max_length=100, unique=True)
    issuer = models.CharField(max_length=500)
    audience = models.CharField(max_length=500, blank=True, help_text="empty: SLIPWAY_URL")
    claims = models.JSONField(default=dict, blank=True)
    action = models.CharField(max_length=10, default="publish")
    resources = ArrayField(models.CharField(max_length=NAMESPACE_CHARACTERS), help_text="patterns of names")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("label",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(action__in=["publish", "edit"]), name="registry_publisher_action_known"),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.issuer})"


class NamespaceGrant(models.Model):
    """A namespace that the operator gave to an account or organization of this site."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    namespace = models.CharField(max_length=NAMESPACE_CHARACTERS)
    with_below = models.BooleanField(default=False, help_text="namespaces below it too: org.example.team")
    owner = models.ForeignKey(Name, on_delete=models.CASCADE, related_name="namespaces")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("namespace",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner", "namespace"], name="registry_namespace_granted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.namespace} for {self.owner}"


class BlockedNamespace(models.Model):
    """Nobody publishes to it or below it, whatever the proof, but an administrator of all names."""

    namespace = models.CharField(max_length=NAMESPACE_CHARACTERS, primary_key=True, help_text="in lower case")
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("namespace",)

    def __str__(self) -> str:
        return self.namespace


class NamespaceHolder(models.Model):
    """The account at GitHub that proved a namespace first, by its number.

    GitHub gives a name that its holder left to whoever asks for it, and the namespace must not go along.
    """

    namespace = models.CharField(max_length=NAMESPACE_CHARACTERS, primary_key=True, help_text="in lower case")
    account_id = models.BigIntegerField()
    proven_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("namespace",)

    def __str__(self) -> str:
        return f"{self.namespace}: {self.account_id}"


class UsedSignature(models.Model):
    """A signature over the time that has been taken once. Kept until its time is over."""

    fingerprint = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.fingerprint
