"""Writing tasks. Each change is one conditional UPDATE, so a job that comes twice or late changes nothing.

A task is accepted by the row's commit and by nothing before it. From then on jobs move it on: `start` hands the call to
a runner, `take` writes down what the runner's outbox has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from common import clock
from common.errors import BadInput, Conflict, NotFound
from events.publish import publish_on_commit
from events.types import TaskChanged
from hosting import queue
from hosting.models import Runner, Task, TaskLine
from hosting.tasks import bodies, pace
from hosting.tasks.states import OPEN, RUNNING, LogLine, Outcome, Seen, State, sources

ID_LENGTH = 64
MIN_TTL = timedelta(seconds=60)
KEPT_AFTER_END = timedelta(seconds=60)  # at least this long, whatever its TTL was


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


def task_start_later(task_id: str) -> None:
    """What was to be started at once and could not be is started by a job."""
    queue.start_task(task_id)


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


# --- what jobs do


def task_starting(task: Task, *, runner: Runner, exchange: str) -> bool:
    """Written before the call is opened: whoever finds the task like this opens the same exchange again."""
    changes: dict[str, Any] = {"exchange": exchange, "attempts": task.attempts + 1, "last_seq": 0}
    changes |= {"reason": "starting", "instance": ""}
    moved = _move(
        task,
        State.STARTING,
        is_news=False,  # it works in a moment: each that waits for it would read the row once more for nothing
        only_from=frozenset({State.ACCEPTED}),
        where={"attempts": task.attempts},  # two attempts never share the id of an exchange
        runner=runner,
        **changes,
    )
    if moved:  # as it is now, without reading it again
        task.state, task.runner = State.STARTING, runner
        for name, value in changes.items():
            setattr(task, name, value)
    return moved


def tasks_running(ids: Sequence[str]) -> int:
    """Their runners have them; how many are news. What a runner's outbox says may have come before, and counts."""
    rows = Task.objects.filter(state=State.STARTING)
    found = list(rows.filter(pk__in=ids).values_list("pk", "user_id"))
    if not found:
        return 0
    now = clock.now()
    count = rows.filter(pk__in=[pk for pk, _ in found]).update(
        state=State.WORKING, reason="running", updated_at=now, looked_at=now
    )
    for task_id, user_id in found:
        publish_on_commit(TaskChanged(task_id, str(user_id or "")))
    return count


def task_again(task: Task, reason: str) -> bool:
    """Back to the start: nothing of this attempt counts."""
    moved = _move(
        task,
        State.ACCEPTED,
        only_from=RUNNING,
        where={"attempts": task.attempts},
        runner=None,
        exchange="",
        last_seq=0,
        questions={},
        answered={},
        progress={},
        samples=[],
        reason=reason,
    )
    if moved:
        queue.start_task(task.id)
    return moved


def task_take(task: Task, before: int, seen: Seen, *, instance: str = "") -> bool:
    """Writes down what an exchange did after event `before`, and on which instance.

    False when somebody else did so first, or it is over.
    """
    now, seen = clock.now(), bodies.within_limit(seen)
    stored = bodies.body_put(seen.body)
    changes: dict[str, Any] = {
        "state": seen.state,
        "reason": seen.reason,
        "progress": seen.progress,
        "questions": seen.questions,
        "answered": seen.answered,
        "samples": pace.sampled(task.samples, now.timestamp(), seen.progress),
        "last_seq": seen.seq,
        "instance": instance or task.instance,
        "updated_at": now,
        "looked_at": now,
    }
    if not task.started_at:
        changes["started_at"] = now
    if seen.outcome is not None:
        changes |= {"outcome": seen.outcome, "ended_at": now, "result_bytes": len(seen.body)}
        changes |= kept(task, seen.state)
    with transaction.atomic():
        row = Task.objects.filter(
            pk=task.id, state__in=RUNNING, exchange=task.exchange, last_seq=before, attempts=task.attempts
        )
        if not row.update(**changes):
            return False
        if seen.body:
            bodies.result_create(task, seen.body, stored)
        _lines(task, seen.lines)
        publish_on_commit(TaskChanged(task.id, str(task.user_id or "")))
    return True


def task_end(task: Task, outcome: Outcome, reason: str) -> bool:
    """Ends a task without a result of its call: cancelled, or lost. False when it was over already.

    Lost is the attempt that `task` names: one that began meanwhile is another call.
    """
    attempt = {"attempts": task.attempts, "exchange": task.exchange} if outcome is Outcome.LOST else None
    return _move(
        task,
        State.ENDED,
        where=attempt,
        outcome=outcome,
        reason=reason[:1000],
        questions={},
        ended_at=clock.now(),
        **kept(task, State.ENDED),
    )


def task_cancel(task: Task, reason: str = "The task was cancelled by request.") -> Task:
    """Cancelled from now on, whatever its call still does. Raises Conflict when it is over.

    2025-11-25 basic/utilities/tasks, "Task Cancellation": the state is left before the answer is sent.
    """
    with transaction.atomic():
        if not task_end(task, Outcome.CANCELLED, reason):
            raise Conflict("task_over", "This task has ended already; it can't be cancelled any more.")
        Task.objects.filter(pk=task.id).update(cancel_requested_at=clock.now())
        if task.exchange:
            queue.stop_task(task.id)
    task.refresh_from_db()
    return task


def _move(
    task: Task,
    to: State,
    *,
    only_from: frozenset[State] = OPEN,
    where: dict[str, Any] | None = None,
    is_news: bool = True,
    **changes: Any,
) -> bool:
    row = Task.objects.filter(pk=task.id, state__in=sources(to) & only_from, **(where or {}))
    now = clock.now()
    if not row.update(state=to, updated_at=now, looked_at=now, **changes):
        return False
    if is_news:
        publish_on_commit(TaskChanged(task.id, str(task.user_id or "")))
    return True


def kept(task: Task, state: State) -> dict[str, Any]:
    """No result goes before somebody had a moment to read it: the TTL is raised where it ends too soon."""
    now = clock.now()
    if state is not State.ENDED or task.expires_at is None or task.expires_at >= now + KEPT_AFTER_END:
        return {}
    expires = now + KEPT_AFTER_END
    return {"expires_at": expires, "ttl_ms": int((expires - task.created_at).total_seconds() * 1000)}


def _lines(task: Task, lines: tuple[LogLine, ...]) -> None:
    room = settings.SLIPWAY_TASK_LINES - TaskLine.objects.filter(task_id=task.id).count() if lines else 0
    TaskLine.objects.bulk_create(
        [line_of(task, line) for line in lines[: max(room, 0)]],
        ignore_conflicts=True,
    )


def line_of(task: Task, line: LogLine) -> TaskLine:
    return TaskLine(task_id=task.id, attempt=task.attempts, seq=line.seq, level=line.level, text=line.text)


# --- reading


def task_of(principal: str, deployment_id: str, task_id: str) -> Task:
    """The principal's own task. Foreign and unknown ones are told apart by nobody: one query, one error."""
    found = None
    if len(task_id) <= ID_LENGTH and "\0" not in task_id:
        found = Task.objects.filter(pk=task_id, principal=principal, deployment_id=UUID(deployment_id)).first()
    if found is None:
        raise task_unknown()
    return found


def task_unknown() -> NotFound:
    return NotFound("task_unknown", "There is no such task.")


def check_ttl(value: object) -> int | None:
    """A ttl as a client sent it. Raises BadInput."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != value:
        raise BadInput("ttl", "ttl must be a number of milliseconds, zero or more.", field="ttl")
    return int(min(value, 10**15))
