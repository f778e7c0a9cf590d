"""A worker dies between two writes of a task's job; the job again, or the sweep alone, brings the task to its end.

The runner, its sandbox and the rows are real. What a sweep queues is taken from the broker's side of the publication
and run here, in this process; what the runner announces goes nowhere, as when the broker is away.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from common import clock
from hosting import jobs
from hosting.models import Deployment, Task, TaskResult
from hosting.runner import control
from hosting.stream.links import links
from hosting.stream.stream import RunnerPool
from hosting.tasks import accepting, running, services, starting, steps
from hosting.tasks.states import Outcome, State
from hosting.tasks.steps import Step
from tests.hosting.conftest import RunnerProcess

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 60.0  # of a machine that many others use
LONG_AGO = timedelta(minutes=1)
AT_START = (Step.CLAIMED, Step.OPENED)


class Killed(BaseException):
    """Nothing of the job runs after it, as after kill -9."""


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[Step], Any]:
    @contextmanager
    def killing(wanted: Step) -> Iterator[None]:
        def reached(step: Step) -> None:
            if step is wanted:
                raise Killed(step)

        with monkeypatch.context() as patch:
            patch.setattr(steps, "reached", reached)
            yield

    return killing


def wanted(deployment: Deployment, tool: str, **arguments: Any) -> accepting.Wanted:
    user = deployment.owner.user
    assert user is not None
    return accepting.Wanted(
        deployment_id=str(deployment.pk),
        version_id=str(deployment.current_version_id),
        user_id=user.pk,
        principal=str(user.pk),
        client="c1",
        origin="2025-11-25",
        revision="2025-11-25",
        tool=tool,
        params=json.dumps({"name": tool, "arguments": arguments}),
        exchange_owner="p1",
    )


def create(deployment: Deployment, tool: str, **arguments: Any) -> Task:
    return accepting.task_create(wanted(deployment, tool, **arguments))


def sweep_until_over(task: Task, queued: list[tuple[str, list[Any]]]) -> None:
    """What beat and the workers do, with nobody left who remembers the task, and minutes gone by."""
    end = time.monotonic() + PATIENCE
    while not task.is_ended:
        assert time.monotonic() < end, (task.state, task.reason)
        Task.objects.filter(pk=task.pk).exclude(state=State.ENDED).update(looked_at=clock.now() - LONG_AGO)
        queued.clear()
        running.sweep()
        for name, arguments in queued:  # and what these queue
            getattr(jobs, name)(*arguments)
        task.refresh_from_db()
        time.sleep(0.1)  # between two sweeps, of which a site makes one in seconds


def outcome(task: Task) -> str:
    assert (task.state, task.outcome) == (State.ENDED, Outcome.RESULT), task.reason
    text: str = json.loads(bytes(TaskResult.objects.get(task=task).body))["content"][0]["text"]
    return text


def held(address: str, task: Task) -> list[str]:
    async def ask(pool: RunnerPool) -> list[str]:
        seen = await (await pool.link(address)).ask(control.GetOutbox(0.0, [task.id]))
        return seen.holding

    return links.run(ask)


def die(task: Task, step: Step, kill_at: Callable[[Step], Any]) -> Callable[[str], None]:
    """Has a worker die at that step. The job that it was doing."""
    job: Callable[[str], None] = starting.task_start if step in AT_START else running.task_advance
    if step not in AT_START:
        starting.task_start(task.id)
    with kill_at(step), pytest.raises(Killed, match=step):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:  # until there is something to take
            job(task.id)
    return job


@pytest.mark.parametrize("comes_again", [True, False], ids=["the job again", "the sweep alone"])
@pytest.mark.parametrize("step", list(Step))
def test_the_tool_runs_once_and_its_result_arrives(
    runner_process: RunnerProcess,
    deployment: Deployment,
    queued: list[tuple[str, list[Any]]],
    kill_at: Callable[[Step], Any],
    step: Step,
    comes_again: bool,
) -> None:
    task = create(deployment, "slow", seconds=0.2)
    job = die(task, step, kill_at)
    if comes_again:
        job(task.id)
        job(task.id)
    task.refresh_from_db()
    sweep_until_over(task, queued)
    assert outcome(task) == "done"
    assert task.attempts == 1
    assert len(task.instance) == 12  # it was seen where it ran
    running.task_advance(task.id)  # a late job of a task that is over has the runner forget it
    assert not held(runner_process.address, task)
    count = create(deployment, "count")
    sweep_until_over(count, queued)
    assert outcome(count) == "1"


def test_what_is_cancelled_after_its_claim_is_not_opened(
    deployment: Deployment, queued: list[tuple[str, list[Any]]], kill_at: Callable[[Step], Any]
) -> None:
    task = create(deployment, "slow", seconds=0)
    job = die(task, Step.CLAIMED, kill_at)
    services.task_cancel(Task.objects.get(pk=task.pk))
    job(task.id)
    count = create(deployment, "count")
    sweep_until_over(count, queued)
    assert outcome(count) == "0"
    task.refresh_from_db()
    assert (task.state, task.outcome) == (State.ENDED, Outcome.CANCELLED)
