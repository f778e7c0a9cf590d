"""Writing tasks. Each change is one conditional UPDATE, so a job that comes twice or late changes nothing.

From its acceptance on (`accepting`) jobs move it on: a start hands the call to a runner, `take` writes down what the
runner's outbox has.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext

from common import clock
from common.errors import Conflict, NotFound
from events.publish import publish_on_commit
from events.types import TaskChanged
from hosting import queue
from hosting.models import Runner, Task, TaskLine
from hosting.tasks import bodies, pace
from hosting.tasks.states import OPEN, RUNNING, LogLine, Outcome, Seen, State, sources

ID_LENGTH = 64
KEPT_AFTER_END = timedelta(seconds=60)  # at least this long, whatever its TTL was


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
            raise Conflict("task_over", gettext("This task has ended already; it can't be cancelled any more."))
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
    return NotFound("task_unknown", gettext("There is no such task."))
