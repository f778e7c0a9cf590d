"""A task that its web process was to start: it dies, comes late, or the server is placed elsewhere meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hosting.fleet.placing import placement_ensure
from hosting.models import Deployment, RunnerPlacement, Task
from hosting.models.tasks import new_task_id
from hosting.runner import control
from hosting.stream.links import links
from hosting.stream.stream import RunnerPool
from hosting.tasks import accepting, places, starting
from hosting.tasks.opening import call_open, random_part
from hosting.tasks.states import State
from tests.factories import make_runner
from tests.hosting.conftest import RunnerProcess
from tests.hosting.test_task_crashes import create, outcome, sweep_until_over

pytestmark = pytest.mark.django_db(transaction=True)
Queued = list[tuple[str, list[Any]]]


def accepted(deployment: Deployment, address: str, tool: str = "slow") -> Task:
    """As a web process commits it, before it opens the call."""
    user = deployment.owner.user
    assert user is not None
    task_id, runner_id = new_task_id(), places.runner_at(address)
    assert runner_id is not None

    async def exchange(pool: RunnerPool) -> str:
        return (await pool.link(address)).exchange_id(random_part(task_id, 1))

    wanted = accepting.Wanted(
        deployment_id=str(deployment.pk),
        version_id=str(deployment.current_version_id),
        user_id=user.pk,
        principal=str(user.pk),
        client="c1",
        origin="2025-11-25",
        revision="2025-11-25",
        tool=tool,
        params=json.dumps({"name": tool, "arguments": {"seconds": 0.1}}),
        exchange_owner="p1",
    )
    return accepting.task_create(wanted, accepting.Starting(task_id, runner_id, links.run(exchange)))


def open_late(task: Task, address: str) -> str:
    """What the web process does, however late. Why it was refused."""
    place = places.place_of(task.deployment_id)

    async def opened(pool: RunnerPool) -> str:
        link = await pool.link(address)
        placement = place.placement
        attachment = call_open(
            link,
            task,
            task_id=task.id,
            attempt=1,
            epoch=placement.epoch,
            generation=placement.generation,
            session="",
        )
        await link.ask(control.Cancel(exchange="", owner=""))
        return attachment.ended.reason if attachment.ended is not None else ""

    return links.run(opened)


@pytest.mark.parametrize("when", ["never", "before the sweep", "after the end"])
def test_the_tool_runs_once_whenever_its_web_process_opens_the_call(
    runner_process: RunnerProcess,
    deployment: Deployment,
    queued: Queued,  # noqa: F811
    when: str,
) -> None:
    task = accepted(deployment, runner_process.address)
    assert (task.state, task.attempts) == (State.STARTING, 1)
    assert not queued  # no job is needed where nobody dies
    if when == "before the sweep":
        assert open_late(task, runner_process.address) == ""
    sweep_until_over(task, queued)
    if when == "after the end":
        open_late(task, runner_process.address)
    assert (outcome(task), task.attempts) == ("done", 1)
    count = create(deployment, "count")
    sweep_until_over(count, queued)
    assert outcome(count) == "1"


def test_what_was_to_start_on_a_runner_that_lost_the_server_begins_anew_on_the_other(
    runner_process: RunnerProcess,
    deployment: Deployment,
    start_runner: Callable[..., RunnerProcess],
    queued: Queued,  # noqa: F811
) -> None:
    task = accepted(deployment, runner_process.address)
    other = start_runner("r2")
    make_runner("r2", address=other.address)
    placement_ensure(deployment.pk, exclude_runner="r1")
    assert RunnerPlacement.objects.get(deployment=deployment).runner.name == "r2"  # type: ignore[union-attr]
    places.place_forget(deployment.pk)
    starting.task_start(task.id)
    task.refresh_from_db()
    assert (task.state, task.runner_id) == (State.ACCEPTED, None)
    assert queued == [("start_task", [task.id])]
    sweep_until_over(task, queued)
    assert (outcome(task), task.attempts) == ("done", 2)
    assert task.runner is not None and task.runner.name == "r2"


def test_what_runs_where_it_was_to_is_left_alone_although_its_server_is_placed_elsewhere(
    runner_process: RunnerProcess,
    deployment: Deployment,
    start_runner: Callable[..., RunnerProcess],
    queued: Queued,  # noqa: F811
) -> None:
    task = accepted(deployment, runner_process.address)
    assert open_late(task, runner_process.address) == ""
    other = start_runner("r2")
    make_runner("r2", address=other.address)
    placement_ensure(deployment.pk, exclude_runner="r1")
    places.place_forget(deployment.pk)
    starting.task_start(task.id)
    task.refresh_from_db()
    assert (task.attempts, task.state) == (1, State.STARTING)
    assert not queued
