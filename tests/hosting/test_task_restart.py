"""A runner that restarts in place in the middle of tasks, with and without a worker that dies beside it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hosting.models import Deployment, Task
from hosting.runner import control
from hosting.runner.seen import Status
from hosting.stream.links import links
from hosting.stream.stream import RunnerPool
from hosting.tasks import accepting, answers, running, starting
from hosting.tasks.states import State
from hosting.tasks.steps import Step
from tests.hosting.conftest import RunnerProcess
from tests.hosting.test_task_crashes import (  # noqa: F401 - a fixture among them
    PATIENCE,
    create,
    die,
    held,
    kill_at,
    outcome,
    sweep_until_over,
    wanted,
)

pytestmark = pytest.mark.django_db(transaction=True)
Queued = list[tuple[str, list[Any]]]


def restart(runner: RunnerProcess) -> None:
    """SIGHUP; returns when the runner has executed itself anew."""

    async def ask(pool: RunnerPool) -> Status:
        return await (await pool.link(runner.address)).ask(control.GetStatus())

    before = links.run(ask).restarts
    runner.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + PATIENCE
    while (status := links.run(ask)).restarts == before:
        assert not status.restart_problem, status.restart_problem
        assert time.monotonic() < end
        time.sleep(0.02)


def create_for_a_person(deployment: Deployment, tool: str) -> Task:  # noqa: F811
    """One whose client may be asked."""
    modern: dict[str, Any] = {"origin": "2026-07-28", "revision": "2026-07-28", "capabilities": '{"elicitation":{}}'}
    return accepting.task_create(replace(wanted(deployment, tool), exchange_owner="p2", **modern))


def advanced_until(task: Task, is_so: Callable[[Task], bool]) -> None:
    """What the jobs do that a runner announces."""
    end = time.monotonic() + PATIENCE
    while not is_so(task):
        assert time.monotonic() < end, (task.state, task.reason)
        running.task_advance(task.id)
        task.refresh_from_db()
        time.sleep(0.05)


def has_news(runner: RunnerProcess, task: Task) -> bool:
    async def ask(pool: RunnerPool) -> list[str]:
        return (await (await pool.link(runner.address)).ask(control.GetOutbox(0.0, []))).news

    return task.id in links.run(ask)


def spooled(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "r1" / "spool").iterdir()]


def test_what_runs_asks_and_has_ended_unread_goes_on(
    tmp_path: Path,
    runner_process: RunnerProcess,
    deployment: Deployment,  # noqa: F811
    queued: Queued,  # noqa: F811
) -> None:
    runs, ended = create(deployment, "slow", seconds=2), create(deployment, "echo", text="unread")
    asks, waits = create_for_a_person(deployment, "ask"), create(deployment, "echo", text="later")
    for task in (runs, ended, asks):
        starting.task_start(task.id)
    advanced_until(asks, lambda task: task.state == State.INPUT_REQUIRED)
    while len(spooled(tmp_path)) < 3 or not has_news(runner_process, ended):
        time.sleep(0.02)  # its outcome is on disk, and nobody has read it
    restart(runner_process)
    assert sorted(held(runner_process.address, runs) + held(runner_process.address, ended)) == sorted(
        [runs.id, ended.id]
    )
    asks.refresh_from_db()
    (key,) = asks.questions
    answers.task_answer(asks, key, result={"action": "accept", "content": {"name": "Ada"}})
    for task in (ended, asks, waits, runs):
        sweep_until_over(task, queued)
        running.task_advance(task.id)
    assert [outcome(task) for task in (ended, waits, runs)] == ["unread", "later", "done"]
    assert json.loads(outcome(asks))["content"] == {"name": "Ada"}
    assert {task.attempts for task in Task.objects.all()} == {1}
    count = create(deployment, "count")
    sweep_until_over(count, queued)
    assert outcome(count) == "1"
    running.task_advance(count.id)
    assert spooled(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("step", list(Step))
def test_a_worker_dies_before_and_nothing_is_lost_or_run_twice(
    runner_process: RunnerProcess,
    deployment: Deployment,  # noqa: F811
    queued: Queued,  # noqa: F811
    kill_at: Callable[[Step], Any],  # noqa: F811
    step: Step,
) -> None:
    task = create(deployment, "slow", seconds=0.2)
    die(task, step, kill_at)
    restart(runner_process)
    task.refresh_from_db()
    sweep_until_over(task, queued)
    assert (outcome(task), task.attempts) == ("done", 1)
    count = create(deployment, "count")
    sweep_until_over(count, queued)
    assert outcome(count) == "1"


@pytest.mark.slow
def test_restarts_one_after_the_other_lose_nothing(
    runner_process: RunnerProcess,
    deployment: Deployment,  # noqa: F811
    queued: Queued,  # noqa: F811
) -> None:
    tasks = [create(deployment, "slow", seconds=seconds) for seconds in (0, 0.5, 1, 2)]
    for task in tasks:
        starting.task_start(task.id)
    for _ in range(3):
        restart(runner_process)
    for task in tasks:
        sweep_until_over(task, queued)
        assert (outcome(task), task.attempts) == ("done", 1)
