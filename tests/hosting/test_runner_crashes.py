"""A runner dies between any two writes of its outbox and is started again: promises are kept, nothing runs twice.

The runner is killed by its own hand at a named step (hosting.runner.steps). What it announces goes nowhere, as when the
broker is away; so the sweep alone brings each task to its end. The tool notes its runs in a data folder, which outlives
its instance.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.errors import Unavailable
from hosting.fleet.reconciling import reconcile
from hosting.looks.inspection import deployment_inspect
from hosting.models import Deployment, Task, TaskResult
from hosting.runner.steps import Step
from hosting.stream.stream import DetachedError, RunnerUnavailableError
from hosting.tasks import running, starting
from hosting.tasks.states import Outcome, State
from tests.factories import make_deployment, make_runner, make_user
from tests.hosting import test_task_crashes as crashes
from tests.hosting.conftest import READ_ONLY, RunnerProcess, server_argv

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PATIENCE = 60.0  # of a machine that many others use
AWAY = (Unavailable, RunnerUnavailableError, DetachedError, TimeoutError, OSError)

# Step -> (how the task ends, how often its tool has run by then)
ENDS: dict[Step, tuple[Outcome, int]] = {
    Step.WANTED: (Outcome.RESULT, 1),  # it had promised nothing yet, so the call is opened anew
    Step.BEGUN: (Outcome.LOST, 0),  # nobody can tell this one from the next
    Step.HAPPENED: (Outcome.LOST, 1),
    Step.WRITTEN: (Outcome.RESULT, 1),
    Step.TOLD: (Outcome.RESULT, 1),
    Step.TAKEN: (Outcome.RESULT, 1),
}
AGAIN: dict[Step, int] = {step: 2 if step is Step.HAPPENED else 1 for step in Step}


@pytest.fixture
def dying(start_runner: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RunnerProcess]:
    yield start_runner("r1", dies_at=request.param)


def deployment_at(runner: RunnerProcess) -> Deployment:
    make_runner(address=runner.address)
    made = make_deployment(make_user(), argv=server_argv("legacy"), read_only=READ_ONLY)
    Deployment.objects.update(has_data_folder=True)
    made.refresh_from_db()
    deployment_inspect(made.pk)  # which places it
    return made


def until_dead(runner: RunnerProcess, task: Task) -> None:
    """Does the task's jobs until its runner has died of them."""
    end = time.monotonic() + PATIENCE
    while runner.process.poll() is None:
        assert time.monotonic() < end, "it lives"
        for job in (starting.task_start, running.task_advance):
            try:
                job(task.id)
            except AWAY:
                continue
        time.sleep(0.02)


def sweep_until_over(task: Task, queued: list[tuple[str, list[Any]]]) -> None:
    end = time.monotonic() + PATIENCE
    while not task.is_ended:
        assert time.monotonic() < end
        try:
            crashes.sweep_until_over(task, queued)
        except AWAY:  # not placed there again yet: a worker tries once more
            task.refresh_from_db()


def ran(deployment: Deployment, queued: list[tuple[str, list[Any]]]) -> int:
    count = crashes.create(deployment, "count")
    sweep_until_over(count, queued)
    return int(crashes.outcome(count))


@pytest.mark.parametrize("dying", list(Step), indirect=True)
@pytest.mark.parametrize("may_run_again", [False, True], ids=["once", "again where it was lost"])
def test_what_a_runner_owed_it_pays_when_it_is_back(
    dying: RunnerProcess,
    start_runner: Any,
    queued: list[tuple[str, list[Any]]],
    request: pytest.FixtureRequest,
    may_run_again: bool,
) -> None:
    step = request.node.callspec.params["dying"]
    deployment = deployment_at(dying)
    task = crashes.create(deployment, "slow", seconds=0.2)
    Task.objects.filter(pk=task.pk).update(may_run_again=may_run_again)
    until_dead(dying, task)
    start_runner("r1")
    reconcile()  # which sees that it answers
    task.refresh_from_db()
    sweep_until_over(task, queued)
    outcome, runs = ENDS[step]
    if may_run_again and outcome is Outcome.LOST:
        outcome, runs = Outcome.RESULT, AGAIN[step]
    assert (task.state, task.outcome) == (State.ENDED, outcome), task.reason
    assert TaskResult.objects.filter(task=task).exists() is (outcome is Outcome.RESULT)
    assert ran(deployment, queued) == runs
    if outcome is Outcome.LOST:
        assert "runner" in task.reason
