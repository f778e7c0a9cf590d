"""A person's answer to a task's question, from the site. The first answer wins, wherever it comes from."""

from __future__ import annotations

from typing import Any

import msgspec
from django.utils.translation import gettext

from common.errors import Conflict, Unavailable
from hosting.credentials.waiting import question_answer
from hosting.models import Task
from hosting.runner.control import Answer
from hosting.runner.seen import Taken
from hosting.stream.links import links
from hosting.stream.stream import DetachedError, RunnerPool, RunnerUnavailableError
from hosting.tasks import running
from hosting.tasks.states import State

PAGE = "this site"
REFUSED = {"code": -1, "message": "The user refused this request"}  # 2025-11-25 client/sampling, "Error Handling"

_encode = msgspec.json.Encoder().encode


def task_answer(
    task: Task, key: str, *, result: dict[str, Any] | None = None, error: dict[str, Any] | None = None, by: str = PAGE
) -> None:
    """Answers one open question of a task that the caller has found to be the actor's (`selectors.task_of_person`).

    Raises Conflict when somebody else was faster, with the words for who came late, and Unavailable.
    """
    if task.is_ended:
        raise Conflict("task_over", gettext("This task has ended already. Your answer was not used."))
    if key not in task.questions:
        raise _late(task, key)
    if task.state == State.LACKING:
        question_answer(task, str((result or {}).get("action", "")))
        task.refresh_from_db()
        return
    if task.runner is None:
        raise Unavailable("runner_gone", gettext("The server that asked can't be reached now. Try again in a moment."))
    address = task.runner.address
    answer = Answer(
        owner=task.exchange_owner,
        key=key,
        exchange=task.exchange,
        result=_encode(result) if error is None else b"",
        error=_encode(error) if error is not None else b"",
        by=by,
    )

    async def send(pool: RunnerPool) -> Taken:
        return await (await pool.link(address)).ask(answer)

    try:
        taken = links.run(send)
    except DetachedError as gone:
        raise Conflict("call_gone", gettext("The call that asked this is gone. Your answer was not used.")) from gone
    except (RunnerUnavailableError, TimeoutError) as away:
        raise Unavailable(
            "runner_away", gettext("The server that asked can't be reached now. Try again in a moment.")
        ) from away
    _catch_up(task)
    if not taken.first:
        raise _late(task, key)


def _catch_up(task: Task) -> None:
    """Takes what the runner has noted by now, rather than show the question again until a job did so."""
    try:
        running.task_advance(task.id)
    except (RunnerUnavailableError, DetachedError, TimeoutError):
        return  # the job will
    task.refresh_from_db()


def _late(task: Task, key: str) -> Conflict:
    words = gettext("This question was answered already. Your answer was not used.")
    if by := task.answered.get(key, ""):
        words = gettext("This question was answered already, from %(client)s. Your answer was not used.") % {
            "client": by
        }
    return Conflict("answered", words)
