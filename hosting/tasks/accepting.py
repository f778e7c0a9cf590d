"""A task comes to be: a call that was accepted by the row's commit and by nothing before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from common import clock
from common.errors import BadInput
from events.publish import publish_on_commit
from events.types import TaskChanged
from hosting import queue
from hosting.models import Runner, Task
from hosting.tasks.states import State

MIN_TTL = timedelta(seconds=60)


@dataclass(frozen=True)
class Wanted:
    """One call that is to run as a task. `params` is raw JSON of tools/call, without its task member."""

    deployment_id: str
    version_id: str
    user_id: UUID | None
    principal: str
    client: str
    origin: str
    revision: str
    tool: str
    params: str
    exchange_owner: str
    ttl_ms: int | None = None
    client_info: str = ""
    capabilities: str = ""
    session: str = ""
    progress_token: str = ""
    may_run_again: bool = False


@dataclass(frozen=True)
class Starting:
    """The exchange that whoever creates the task will open at that runner, once it is committed."""

    task_id: str
    runner_id: UUID
    exchange: str


@dataclass(frozen=True)
class Lacking:
    """What the task's user has to bring first: the page that asks for it, and the question for a client that may be
    asked ({method, params}), None otherwise. `words` are for people and models."""

    elicitation_id: str
    words: str
    question: dict[str, Any] | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """Of a task's row. Another page has another key: keys are used once (SEP-2663, "Task Update Requests")."""
        key = f"credentials-{self.elicitation_id}"
        questions = {key: self.question} if self.question is not None else {}
        return {"elicitation_id": self.elicitation_id, "questions": questions, "reason": self.words}


def task_create(wanted: Wanted, starting: Starting | None = None) -> Task:
    """Accepted once this returns outside of a transaction. Without `starting` its start is queued on commit."""
    if starting is not None:
        return _insert(
            wanted,
            id=starting.task_id,
            state=State.STARTING,
            reason="starting",
            runner_id=starting.runner_id,
            exchange=starting.exchange,
            attempts=1,
        )
    with transaction.atomic():
        task = _insert(wanted, state=State.ACCEPTED, reason="waits for its start")
        queue.start_task(task.id)
    return task


def task_create_lacking(wanted: Wanted, lacking: Lacking) -> Task:
    """A task that waits for a page. Whoever calls this holds the page's row locked, and it is open."""
    return _insert(wanted, state=State.LACKING, **lacking.columns)


def task_of_call(wanted: Wanted, *, task_id: str, runner_address: str, exchange: str) -> Task:
    """A running call becomes a task: it is one from the commit on.

    The runner must have been told before (`Keep`), and is reminded then: the call may have ended before it was a task.
    """
    return _insert(
        wanted,
        id=task_id,
        state=State.WORKING,
        reason="running",
        runner=Runner.objects.filter(address=runner_address).first(),
        exchange=exchange,
        attempts=1,
        started_at=clock.now(),
    )


def _insert(wanted: Wanted, **more: Any) -> Task:
    ttl = _ttl(wanted.ttl_ms)
    now = clock.now()
    task = Task.objects.create(
        deployment_id=UUID(wanted.deployment_id),
        version_id=UUID(wanted.version_id) if wanted.version_id else None,
        user_id=wanted.user_id,
        principal=wanted.principal,
        client=wanted.client,
        client_info=wanted.client_info,
        capabilities=wanted.capabilities,
        origin=wanted.origin,
        revision=wanted.revision,
        tool=wanted.tool,
        params=wanted.params,
        exchange_owner=wanted.exchange_owner,
        session=wanted.session,
        progress_token=wanted.progress_token,
        may_run_again=wanted.may_run_again,
        ttl_ms=ttl,
        expires_at=now + timedelta(milliseconds=ttl) if ttl is not None else None,
        created_at=now,
        updated_at=now,
        **more,
    )
    publish_on_commit(TaskChanged(task.id, str(task.user_id or ""), is_new=True))
    return task


def _ttl(wanted: int | None) -> int | None:
    """Milliseconds from creation, within the site's bounds (2025-11-25 tasks: receivers MAY override the ttl)."""
    most = settings.SLIPWAY_TASK_TTL_SECONDS * 1000
    if wanted is None:
        return most
    return max(int(MIN_TTL.total_seconds() * 1000), min(wanted, most))


def check_ttl(value: object) -> int | None:
    """A ttl as a client sent it. Raises BadInput."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != value:
        raise BadInput("ttl", "ttl must be a number of milliseconds, zero or more.", field="ttl")
    return int(min(value, 10**15))
