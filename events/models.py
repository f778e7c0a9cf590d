"""The audit row: who did what to what, written in the transaction that did it, never changed afterwards."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from common import clock, ids


class AuditEntry(models.Model):
    """Append-only; the database refuses UPDATE and DELETE (see the first migration), not only this class.

    `actor` is "user:<id>", "operator" (a command on the host), "system" (a job) or "anonymous". `subject_*` have no
    foreign key: a row outlives what it speaks of.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    at = models.DateTimeField(default=clock.now, editable=False)
    actor = models.CharField(max_length=100)
    action = models.CharField(max_length=100, help_text='"subject:verb", for example "deployment:create"')
    subject_type = models.CharField(max_length=50)
    subject_id = models.CharField(max_length=100)
    data = models.JSONField(default=dict, blank=True)
    request_id = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ("-at", "-id")
        verbose_name_plural = "audit entries"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["subject_type", "subject_id", "-at"], name="audit_by_subject"),
            models.Index(fields=["actor", "-at"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.action} {self.subject_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("audit entries are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("audit entries are never deleted")
