"""The endpoint's crossing to the tasks' rows; called in threads. Raises Unavailable when the database is away."""

from __future__ import annotations

import base64
import binascii
import contextlib
from typing import Final
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet

from accounts.models import User
from common.errors import BadInput
from hosting import queue
from hosting.credentials import waiting
from hosting.credentials.eliciting import OverError
from hosting.models import DeploymentVersion, Task
from hosting.tasks import accepting, services
from hosting.tasks.accepting import Wanted
from hosting.tasks.places import runner_at
from mcp_endpoint.lookup import connection
from mcp_endpoint.personal.persons import Asking
from mcp_endpoint.tasks.reading import page_of, task_read
from mcp_endpoint.tasks.wire import TaskSeen

PAGE: Final = 50

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[str, str]).decode


def create(wanted: Wanted) -> TaskSeen:
    """Started by a job."""
    with connection():
        return _seen(accepting.task_create(wanted), "")


def create_starting(wanted: Wanted, task_id: str, runner_address: str, exchange: str) -> TaskSeen:
    """Started by the caller, who opens that exchange then; by a job where the result names no exchange."""
    with connection():
        runner_id = runner_at(runner_address)
        if runner_id is None:
            return _seen(accepting.task_create(wanted), "")
        task = accepting.task_create(wanted, accepting.Starting(task_id, runner_id, exchange))
        return _seen(task, runner_address)


def create_waiting(wanted: Wanted, asking: Asking) -> TaskSeen:
    """Started when its user has brought what is missing."""
    with connection():
        return _seen(waiting.task_create_waiting(wanted, asks_by_url=asking.by_url, runner_address=asking.runner), "")


def answer_waiting(principal: str, deployment_id: str, task_id: str, action: str) -> None:
    """What the client of such a one says of its user; over already stays so. Raises NotFound."""
    with connection(), contextlib.suppress(OverError):
        waiting.question_answer(services.task_of(principal, deployment_id, task_id), action)


def started(running: list[str], refused: list[str]) -> None:
    """What became of tasks that were opened by the caller: those of `refused` are started by jobs."""
    with connection():
        services.tasks_running(running)
        for task_id in refused:
            queue.start_task(task_id)


def create_of_call(wanted: Wanted, task_id: str, runner_address: str, exchange: str) -> TaskSeen:
    with connection():
        task = accepting.task_of_call(wanted, task_id=task_id, runner_address=runner_address, exchange=exchange)
        return _seen(task, runner_address)


def get(principal: str, deployment_id: str, task_id: str, with_body: bool) -> TaskSeen:
    """Raises NotFound, for a foreign task as for none."""
    with connection():
        return task_read(principal, deployment_id, task_id, with_body=with_body)


def cancel(principal: str, deployment_id: str, task_id: str) -> TaskSeen:
    """Raises NotFound, and Conflict when it is over."""
    with connection():
        return _seen(services.task_cancel(services.task_of(principal, deployment_id, task_id)))


def page(principal: str, deployment_id: str, cursor: str) -> tuple[list[TaskSeen], str]:
    """Newest first, and the cursor of what follows ("" at the end). Raises BadInput."""
    with connection():
        rows = Task.objects.filter(principal=principal, deployment_id=UUID(deployment_id))
        found = list(_after(rows, cursor)[: PAGE + 1])
        more = ""
        if len(found) > PAGE:
            last = found[PAGE - 1]
            more = base64.urlsafe_b64encode(_encode((last.created_at.isoformat(), last.id))).decode()
        return [_seen(task) for task in found[:PAGE]], more


def _after(rows: QuerySet[Task], cursor: str) -> QuerySet[Task]:
    rows = rows.select_related("runner").order_by("-created_at", "-id")
    if not cursor:
        return rows
    try:
        at, task_id = _decode(base64.urlsafe_b64decode(cursor))
        return rows.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=task_id))
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise BadInput("cursor", "This cursor was not given out here. List anew without one.") from error


def has_person(user_id: UUID | None) -> bool:
    """Not for a caller without an account, nor for a program of an organization, as whom nobody signs in."""
    if user_id is None:
        return False
    with connection():
        return User.objects.filter(pk=user_id, is_active=True, service_of__isnull=True).exists()


def has_output_schema(version_id: str, tool: str) -> bool:
    """Whether the tool's results have a schema, which some clients check."""
    with connection():
        tools = DeploymentVersion.objects.filter(pk=UUID(version_id)).values_list("tools", flat=True).first()
    return any(each.get("name") == tool and each.get("outputSchema") for each in tools or [])


def _seen(task: Task, runner_address: str | None = None) -> TaskSeen:
    if runner_address is None:
        runner_address = task.runner.address if task.runner is not None else ""
    return TaskSeen(
        id=task.id,
        tool=task.tool,
        state=task.state,
        outcome=task.outcome,
        reason=task.reason,
        created_at=task.created_at,
        updated_at=task.updated_at,
        ttl_ms=task.ttl_ms,
        progress=task.progress,
        questions=task.questions,
        exchange=task.exchange,
        exchange_owner=task.exchange_owner,
        runner_address=runner_address,
        progress_token=task.progress_token.encode(),
        page=page_of(task.id),
    )
