"""What an organization lets its hosted servers ask people."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy

from hosting.runner.placement import ALLOWED, LISTED, REFUSED


class QuestionPolicy(models.Model):
    """Of foreign pages (`hosting.questions.pages`). An organization without one allows them, with a warning."""

    class Pages(models.TextChoices):
        ALLOWED = ALLOWED, gettext_lazy("Every host, shown with a warning")
        LISTED = LISTED, gettext_lazy("Listed hosts only")
        REFUSED = REFUSED, gettext_lazy("None")

    organization = models.OneToOneField(
        "accounts.Organization", primary_key=True, on_delete=models.CASCADE, related_name="question_policy"
    )
    pages = models.CharField(max_length=10, choices=Pages.choices, default=Pages.ALLOWED)
    hosts: Any = ArrayField(
        models.CharField(max_length=255), default=list, blank=True, help_text="names, or *.example.org; for `listed`"
    )

    def __str__(self) -> str:
        return f"question policy of {self.organization_id}"
