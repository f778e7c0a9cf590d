"""Tasks that wait until their user has brought something: rows and nothing else, until a page of the site has ended.

What ends such a page is `hosting.credentials.eliciting`; here is what that does to the tasks, many at once.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from common import clock
from events.publish import publish_on_commit
from events.types import TaskChanged
from hosting import queue
from hosting.models import Elicitation, Task, TaskResult
from hosting.tasks.accepting import Lacking
from hosting.tasks.services import KEPT_AFTER_END
from hosting.tasks.states import Outcome, State

AT_ONCE: Final = 1000  # rows that are ended together
QUEUED: Final = 200  # starts that are asked for at once; the sweep asks for the others
MODERN_SINCE: Final = "2026"  # from when on results name their type

_encode = msgspec.json.Encoder().encode


def task_lacks(task: Task, lacking: Lacking) -> bool:
    """One that was to start waits for a page, whose row is locked and open. False when it is no longer to start."""
    return bool(_moved(Task.objects.filter(pk=task.pk, state=State.ACCEPTED), State.LACKING, **lacking.columns))


def tasks_go_on(user_id: UUID, deployment_id: UUID) -> int:
    """The user has brought what was missing there: all that waited for it start, whichever page they waited for."""
    rows = Task.objects.filter(user_id=user_id, deployment_id=deployment_id, state=State.LACKING)
    return _go_on(rows)


def tasks_stranded() -> int:
    """Those whose page ended without them, or is gone: their start finds out what is missing now."""
    return _go_on(Task.objects.filter(state=State.LACKING).exclude(elicitation__state=Elicitation.State.OPEN))


def _go_on(rows: QuerySet[Task]) -> int:
    ids = _moved(rows, State.ACCEPTED, questions={}, elicitation=None, reason="waits for its start")
    for task_id in ids[:QUEUED]:
        queue.start_task(task_id)
    return len(ids)


def question_taken(task: Task) -> bool:
    """The client was asked, and its user agreed to open the page: nobody is asked that again."""
    return bool(_moved(Task.objects.filter(pk=task.pk, state=State.LACKING), State.LACKING, questions={}))


def tasks_refuse(pages: Collection[str], words: str) -> int:
    """Ends what waits for these pages with `words` for whoever called."""
    return _refuse(Task.objects.filter(elicitation_id__in=pages), words)


def task_refuse(task: Task, words: str) -> bool:
    return bool(_refuse(Task.objects.filter(pk=task.pk), words))


def _refuse(rows: QuerySet[Task], words: str) -> int:
    count = 0
    with transaction.atomic():
        while found := _ended(rows, words):
            count += found
    return count


def _ended(rows: QuerySet[Task], words: str) -> int:
    """Up to AT_ONCE of them, in four statements."""
    waiting = rows.filter(state=State.LACKING).select_for_update()
    found = list(waiting.only("pk", "user_id", "revision", "created_at", "expires_at")[:AT_ONCE])
    if not found:
        return 0
    now, ids = clock.now(), [task.pk for task in found]
    bodies = {task.pk: refusal(words, task.revision) for task in found}
    Task.objects.filter(pk__in=ids).update(
        state=State.ENDED,
        outcome=Outcome.TOOL_ERROR,
        reason=words,
        questions={},
        ended_at=now,
        updated_at=now,
        looked_at=now,
        result_bytes=max(len(body) for body in bodies.values()),
    )
    _keep(found, now)
    TaskResult.objects.bulk_create([TaskResult(task_id=pk, body=body) for pk, body in bodies.items()])
    for task in found:
        publish_on_commit(TaskChanged(task.pk, str(task.user_id or "")))
    return len(found)


def _keep(tasks: list[Task], now: datetime) -> None:
    """Somebody has a moment to read the words, whatever the TTL was (hosting.tasks.services.kept)."""
    until = now + KEPT_AFTER_END
    short = [task for task in tasks if task.expires_at is not None and task.expires_at < until]
    for task in short:
        task.expires_at = until
        task.ttl_ms = int((until - task.created_at).total_seconds() * 1000)
    if short:
        Task.objects.bulk_update(short, ["expires_at", "ttl_ms"])


def refusal(words: str, revision: str) -> bytes:
    """The raw CallToolResult of a call that was not made."""
    body: dict[str, Any] = {"content": [{"type": "text", "text": words}], "isError": True}
    return _encode({"resultType": "complete", **body} if revision >= MODERN_SINCE else body)


def _moved(rows: QuerySet[Task], to: State, **changes: Any) -> list[str]:
    """The tasks among `rows` that are in `to` from now on."""
    now = clock.now()
    with transaction.atomic():
        found = list(rows.select_for_update(of=("self",)).values_list("pk", "user_id"))
        ids = [pk for pk, _ in found]
        if ids:
            Task.objects.filter(pk__in=ids).update(state=to, updated_at=now, looked_at=now, **changes)
        for pk, user_id in found:
            publish_on_commit(TaskChanged(pk, str(user_id or "")))
    return ids
