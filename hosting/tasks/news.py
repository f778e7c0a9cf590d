"""Taking what a runner's outbox has of many tasks at once: one look at it, one transaction, one acknowledgement.

Each row is locked, in the order of ids, and what somebody else has locked is left to them. What can't come along with
others (a large result, an attempt that is lost) is left to a job of its own (`running.task_advance`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import structlog
from django.conf import settings
from django.db import DataError, connection, transaction
from django.db.models import Count

from common import clock
from events.publish import publish_on_commit
from events.types import TaskChanged
from hosting import queue
from hosting.models import Runner, Task, TaskLine, TaskResult
from hosting.runner.control import GetNews
from hosting.runner.seen import News, TaskNews
from hosting.stream.links import links
from hosting.stream.stream import RunnerPool
from hosting.tasks import bodies, pace, services, steps
from hosting.tasks.states import RUNNING, Outcome, Seen, State, advance
from hosting.tasks.steps import Step

log = structlog.get_logger(__name__)

FORGOTTEN_SECONDS: Final = 2.0  # by then what a job was given is acknowledged, or that job has died
_UNREAD: Final = ("params", "capabilities", "client_info", "progress_token", "session")
_UPDATE: Final = """
UPDATE hosting_task AS task SET state = n.state, outcome = n.outcome, reason = n.reason, progress = n.progress,
    questions = n.questions, answered = n.answered, samples = n.samples, last_seq = n.last_seq, instance = n.instance,
    result_bytes = n.result_bytes, expires_at = n.expires_at, ttl_ms = n.ttl_ms, ended_at = n.ended_at,
    started_at = coalesce(task.started_at, %(now)s), updated_at = %(now)s, looked_at = %(now)s
FROM json_to_recordset(%(rows)s::json) AS n (id text, state text, outcome text, reason text, progress jsonb,
    questions json, answered jsonb, samples jsonb, last_seq bigint, instance text, result_bytes bigint,
    expires_at timestamptz, ttl_ms bigint, ended_at timestamptz)
WHERE task.id = n.id
"""


class _Change(NamedTuple):
    task: Task
    seen: Seen
    instance: str


def news_take(runner_name: str, *, again: bool = False) -> None:
    """Takes all that there is. `again`: also what another job was given and never acknowledged.

    Raises RunnerUnavailableError and DetachedError: the sweep sees to it.
    """
    runner = Runner.objects.filter(name=runner_name).first()
    if runner is None:
        return
    asked = GetNews(older_than_seconds=FORGOTTEN_SECONDS if again else None)
    while news := _ask(runner.address, asked).tasks:
        asked = GetNews(taken=tasks_take(news))


def _ask(address: str, asked: GetNews) -> News:
    async def ask(pool: RunnerPool) -> News:
        return await (await pool.link(address)).ask(asked)

    return links.run(ask)


def tasks_take(news: Sequence[TaskNews]) -> list[tuple[str, int]]:
    """Writes down what these exchanges did. Gives what may be acknowledged: (task, seq)."""
    try:
        taken = _take({one.task: one for one in news})
    except (DataError, ValueError):  # something in one of them that a column can't hold
        log.exception("news_not_taken_together", tasks=len(news))
        taken = []
    for task_id in {one.task for one in news}.difference(task_id for task_id, _ in taken):
        queue.advance_task(task_id)
    return taken


def _take(news: dict[str, TaskNews]) -> list[tuple[str, int]]:
    changes: list[_Change] = []
    taken: list[tuple[str, int]] = []
    with transaction.atomic():
        rows = Task.objects.select_for_update(skip_locked=True).filter(pk__in=news, state__in=RUNNING)
        for task in rows.order_by("pk").defer(*_UNREAD):
            one = news[task.id]
            seen = _advanced(task, one)
            if seen is None:
                continue
            taken.append((task.id, seen.seq))
            if seen.seq > task.last_seq:
                changes.append(_Change(task, seen, one.instance))
        if changes:
            steps.reached(Step.READ)
            _write(changes, clock.now())
    if changes:
        steps.reached(Step.TAKEN)
    return taken


def _advanced(task: Task, one: TaskNews) -> Seen | None:
    """What is known with these events; None where that is not to be written together with others."""
    if not one.events or one.exchange != task.exchange:
        return None
    seen = advance(Seen.of(task), one.events)
    is_apart = seen.outcome is Outcome.LOST or bodies.is_for_storage(seen.body)
    return None if is_apart else bodies.within_limit(seen)


def _write(changes: Sequence[_Change], now: datetime) -> None:
    """All of them in as many statements as of one. The rows are locked."""
    rows = [_row(change, now) for change in changes]
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, {"now": now, "rows": json.dumps(rows, default=datetime.isoformat)})
    results = [TaskResult(task_id=task.id, body=seen.body) for task, seen, _ in changes if seen.body]
    TaskResult.objects.bulk_create(results)
    _write_lines([change for change in changes if change.seen.lines])
    for task, _, _ in changes:
        publish_on_commit(TaskChanged(task.id, str(task.user_id or "")))


def _row(change: _Change, now: datetime) -> dict[str, Any]:
    task, seen = change.task, change.seen
    kept = services.kept(task, seen.state) if seen.outcome is not None else {}
    return {
        "id": task.id,
        "state": seen.state,
        "outcome": seen.outcome or "",
        "reason": seen.reason,
        "progress": seen.progress,
        "questions": seen.questions,
        "answered": seen.answered,
        "samples": pace.sampled(task.samples, now.timestamp(), seen.progress),
        "last_seq": seen.seq,
        "instance": change.instance or task.instance,
        "result_bytes": len(seen.body),
        "ended_at": now if seen.state is State.ENDED else None,
        "expires_at": task.expires_at,
        "ttl_ms": task.ttl_ms,
        **kept,
    }


def _write_lines(changes: Sequence[_Change]) -> None:
    if not changes:
        return
    ids = [change.task.id for change in changes]
    counts = TaskLine.objects.filter(task_id__in=ids).values_list("task_id").annotate(count=Count("pk")).order_by()
    known: dict[str, int] = dict(counts)
    lines = [
        services.line_of(task, line)
        for task, seen, _ in changes
        for line in seen.lines[: max(0, settings.SLIPWAY_TASK_LINES - known.get(task.id, 0))]
    ]
    TaskLine.objects.bulk_create(lines, ignore_conflicts=True)
