"""The states that a version may be in."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy


class Status(models.TextChoices):
    ACTIVE = "active", gettext_lazy("Active")
    DEPRECATED = "deprecated", gettext_lazy("Deprecated")
    DELETED = "deleted", gettext_lazy("Deleted")
