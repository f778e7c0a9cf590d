"""What a deployment did in each hour, so that nobody has to read every call and every task to draw a month."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from hosting.models.deployments import Deployment


class CallHour(models.Model):
    """Tool calls that came within one hour and took about as long (`hosting.usage.durations`). After some days a row
    of a day's first hour has those of the whole day (`hosting.usage.tallies`).

    Written with each batch of call records, so a busy table: no reference is checked, as with those.
    """

    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, related_name="call_hours", db_constraint=False, db_index=False
    )
    hour = models.DateTimeField(help_text="its beginning")
    step = models.PositiveSmallIntegerField(help_text="how long they took")
    calls = models.PositiveBigIntegerField(default=0)
    answered = models.PositiveBigIntegerField(default=0, help_text="those of which percentiles are taken")
    errors = models.PositiveBigIntegerField(default=0)
    cold_starts = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["deployment", "hour", "step"], name="call_hour_once"),
        ]

    def __str__(self) -> str:
        return f"{self.calls} calls at {self.hour}"


class TaskHour(models.Model):
    """Tasks that were begun within one hour and are deleted by now, by how they had ended."""

    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, related_name="task_hours", db_constraint=False, db_index=False
    )
    hour = models.DateTimeField(help_text="its beginning")
    outcome = models.CharField(max_length=10, blank=True)
    tasks = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["deployment", "hour", "outcome"], name="task_hour_once"),
        ]

    def __str__(self) -> str:
        return f"{self.tasks} tasks at {self.hour}"
