"""Ending many tasks at once: of a deployment that stops, and of a user who is deleted.

Whoever follows one of them is told by a job: there may be ten thousand, and a request waits for none of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, Value
from django.db.models.functions import Extract
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from accounts.models import User
from common import clock
from events.publish import publish
from events.types import TaskChanged
from hosting import queue
from hosting.models import Task
from hosting.tasks.services import KEPT_AFTER_END
from hosting.tasks.states import OPEN, RUNNING, Outcome, State

AT_ONCE: Final = 1000  # rows that are read together


def tasks_cancel_of(deployment_id: UUID, reason: str) -> int:
    """Cancels all open tasks of a deployment whose instances end now. Their runners are told by that."""
    now = clock.now()
    with transaction.atomic():
        count = Task.objects.filter(deployment_id=deployment_id, state__in=sorted(OPEN)).update(
            state=State.ENDED,
            outcome=Outcome.CANCELLED,
            reason=reason,
            questions={},
            ended_at=now,
            updated_at=now,
            looked_at=now,
            cancel_requested_at=now,
        )
        _keep(deployment_id, now)
        if count:
            queue.tell_tasks(deployment_id, now)
    return count


def _keep(deployment_id: UUID, ended_at: datetime) -> None:
    """Their TTL is raised where it ends too soon, as for one that ends by itself."""
    expires = ended_at + KEPT_AFTER_END
    life = ExpressionWrapper(Value(expires) - F("created_at"), output_field=DurationField())
    Task.objects.filter(deployment_id=deployment_id, cancel_requested_at=ended_at, expires_at__lt=expires).update(
        expires_at=expires, ttl_ms=Extract(life, "epoch") * 1000
    )


def tasks_tell_of(deployment_id: UUID, ended_at: datetime) -> None:
    """Tells whoever follows one of the tasks that were cancelled together at that moment."""
    rows = Task.objects.filter(deployment_id=deployment_id, cancel_requested_at=ended_at)
    for task_id, user_id in _all(rows.values_list("pk", "user_id").order_by("pk")):
        publish(TaskChanged(task_id, str(user_id or "")))


def _all(rows: Any) -> Iterator[tuple[str, UUID | None]]:
    found: Iterator[tuple[str, UUID | None]] = rows.iterator(chunk_size=AT_ONCE)
    return found


@receiver(pre_delete, sender=User, dispatch_uid="tasks_of_user")
def tasks_stop_of_user(sender: type[User], instance: User, **more: Any) -> None:
    """The rows go with their user; what runs for them is stopped, by jobs that need no row."""
    running = Task.objects.filter(user_id=instance.pk, state__in=sorted(RUNNING), runner__isnull=False)
    for task in running.select_related("runner").only("pk", "exchange", "exchange_owner", "runner__address"):
        assert task.runner is not None
        queue.stop_call(task.runner.address, task.exchange, task.exchange_owner, task.id)
