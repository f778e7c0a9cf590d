"""Secrets as rows: sealed values, and what may be shown of them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from common import clock, ids
from vault.envelope import Envelope, Place


class Secret(models.Model):
    """One value of one holder. Deployments live in a layer above, so theirs is a bare id."""

    class Scope(models.TextChoices):
        PERSONAL = "personal", gettext_lazy("Yours")
        ORGANIZATION = "organization", gettext_lazy("Your organization's")
        DEPLOYMENT = "deployment", gettext_lazy("The server's")

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    scope = models.CharField(max_length=12, choices=Scope.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    organization = models.ForeignKey("accounts.Organization", null=True, on_delete=models.CASCADE, related_name="+")
    deployment_id = models.UUIDField(null=True, db_index=True)
    name = models.CharField(max_length=255, help_text='"where:name", as settings of a deployment are named')
    version = models.PositiveIntegerField(default=1)
    key_id = models.CharField(max_length=100, db_index=True)
    wrapped = models.BinaryField()
    body = models.BinaryField()
    given_to = models.JSONField(
        null=True, help_text="what it was given to, in the words of the layer above; null: nobody said"
    )
    set_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True, help_text="when an instance was last started with it")

    class Meta:
        ordering = ("name",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(scope="personal", user__isnull=False, organization=None, deployment_id__isnull=False)
                | Q(scope="organization", user=None, organization__isnull=False)
                | Q(scope="deployment", user=None, organization=None, deployment_id__isnull=False),
                name="secret_has_one_holder",
            ),
            models.UniqueConstraint(
                fields=["scope", "user", "organization", "deployment_id", "name"],
                nulls_distinct=False,
                name="secret_once_per_holder",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.name}"

    @property
    def place(self) -> Place:
        owner = self.user_id or self.organization_id or self.deployment_id
        return Place(self.scope, str(owner), str(self.deployment_id or ""), self.name, self.version)

    @property
    def envelope(self) -> Envelope:
        return Envelope(self.key_id, bytes(self.wrapped), bytes(self.body))
