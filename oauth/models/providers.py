"""Third parties at which people of this site have accounts, and who the site is there."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from common import clock, ids


class Provider(models.Model):
    """Configured by the operator for the whole site, or by a deployment's owner for that one. `sealed` has the client's
    secret (oauth.outbound.vault)."""

    class Kind(models.TextChoices):
        GITHUB = "github", "GitHub"
        GOOGLE = "google", "Google"
        SLACK = "slack", "Slack"
        NOTION = "notion", "Notion"
        DISCOVERED = "discovered", gettext_lazy("OpenID Connect or OAuth 2, found by its issuer")
        TYPED = "typed", gettext_lazy("OAuth 2, with addresses typed in")

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    subject_id = models.UUIDField(null=True, db_index=True, help_text="the deployment it is for; null: all of the site")
    name = models.CharField(max_length=40, help_text="short, for commands and the API")
    title = models.CharField(max_length=80, help_text="what people are shown")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    server = models.JSONField(help_text="its addresses (oauth.outbound.discovery.Server)")
    client_id = models.CharField(max_length=500)
    client_method = models.CharField(max_length=30)
    client_source = models.CharField(max_length=10)
    sealed = models.BinaryField(editable=False)
    scopes = models.JSONField(default=list, help_text="asked for where a server names none")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ("name",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["subject_id", "name"], nulls_distinct=False, name="provider_name_once_a_place"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["github", "google", "slack", "notion", "discovered", "typed"]),
                name="provider_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return self.title
