"""Many tasks that end at once: all of them, with time to read what came of them, and everybody is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers

from accounts.services import user_delete
from common import clock
from events.actors import OPERATOR
from events.types import ALL_TASKS, TasksChanged, from_message
from hosting import jobs
from hosting.looks.inspection import deployment_inspect
from hosting.models import Task
from hosting.runner import control
from hosting.services import deployment_stop
from hosting.stream.links import links
from hosting.stream.stream import RunnerPool
from hosting.tasks import starting
from hosting.tasks.services import KEPT_AFTER_END
from hosting.tasks.states import Outcome, State
from tests.factories import make_deployment, make_runner, make_user
from tests.hosting.conftest import READ_ONLY, RunnerProcess, server_argv

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 250


async def told_of(task_ids: list[str], deed: Callable[[], None]) -> None:
    """Returns when each of these tasks was told of by itself to somebody who listens since before the deed.

    In one event loop: the layer takes a message that it has given out of its hands a moment later, and gives it again
    where the loop has ended by then.
    """
    layer: Any = channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)
    channels = [await layer.new_channel() for _ in task_ids]
    for channel in channels:
        await layer.group_add(ALL_TASKS, channel)
    await sync_to_async(deed)()
    try:
        for task_id, channel in zip(task_ids, channels, strict=True):
            while True:
                event = from_message(await layer.receive(channel))
                assert isinstance(event, TasksChanged)
                if task_id in event.task_ids:
                    break
    finally:
        await layer.close_pools()


def test_all_tasks_of_a_stopped_server_are_cancelled_kept_a_while_and_told_of(
    queued: list[tuple[str, list[Any]]],
) -> None:
    alice = make_user()
    deployment = make_deployment(alice)
    now = clock.now()
    soon, late = now + timedelta(seconds=5), now + timedelta(hours=1)
    tasks = Task.objects.bulk_create(
        Task(
            deployment=deployment, user=alice, principal="p", origin=Task.Origin.MODERN, tool="work", params="{}",
            state=State.WORKING, created_at=now - timedelta(seconds=60), ttl_ms=65_000 if n else 3_660_000,
            expires_at=soon if n else late,
        )
        for n in range(MANY)
    )  # fmt: skip
    ended = Task.objects.create(
        deployment=deployment, user=alice, principal="p", origin=Task.Origin.MODERN, tool="work", params="{}",
        state=State.ENDED, outcome=Outcome.RESULT, expires_at=soon, ttl_ms=65_000,
    )  # fmt: skip

    def stop() -> None:
        deployment_stop(actor=OPERATOR, deployment=deployment)
        assert Task.objects.filter(state=State.ENDED, outcome=Outcome.CANCELLED).count() == MANY
        for name, arguments in queued:
            if name == "tell_tasks":
                jobs.tell_tasks(*arguments)

    async_to_sync(told_of)([tasks[0].id, tasks[-1].id], stop)
    rows = {task.id: task for task in Task.objects.all()}
    first, last = rows[tasks[0].id], rows[tasks[-1].id]
    assert (first.expires_at, first.ttl_ms) == (late, 3_660_000)
    assert last.ended_at is not None and last.expires_at == last.ended_at + KEPT_AFTER_END
    lasts = (last.expires_at - last.created_at).total_seconds() * 1000  # from creation, as it is counted
    assert last.ttl_ms is not None and abs(last.ttl_ms - lasts) < 1000
    assert (rows[ended.id].expires_at, rows[ended.id].ttl_ms) == (soon, 65_000)
    assert not [task for task in rows.values() if task.state != State.ENDED]


def test_what_runs_for_a_user_who_is_deleted_is_stopped(
    runner_process: RunnerProcess, queued: list[tuple[str, list[Any]]]
) -> None:
    make_runner(address=runner_process.address)
    bob = make_user("bob")
    deployment = make_deployment(make_user(), argv=server_argv("legacy"), read_only=READ_ONLY, access="public")
    deployment_inspect(deployment.pk)
    task = Task.objects.create(
        deployment=deployment, version_id=deployment.current_version_id, user=bob, principal=str(bob.pk),
        origin=Task.Origin.LEGACY, revision="2025-11-25", tool="slow", exchange_owner="p1",
        params='{"name":"slow","arguments":{"seconds":60}}',
    )  # fmt: skip
    starting.task_start(task.id)

    async def ask(pool: RunnerPool) -> tuple[list[str], int]:
        link = await pool.link(runner_process.address)
        status = await link.ask(control.GetStatus())
        held = (await link.ask(control.GetOutbox(0.0, [task.id]))).holding
        return held, sum(one.in_flight for placed in status.placements for one in placed.instances)

    async def running(pool: RunnerPool) -> None:
        async with asyncio.timeout(60):
            # Held at once, and in flight when its instance is up: nobody tells.
            while await ask(pool) != ([task.id], 1):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    links.run(running)
    user_delete(actor=OPERATOR, user=bob)
    assert not Task.objects.filter(pk=task.id).exists()
    ((_, arguments),) = [job for job in queued if job[0] == "stop_call"]
    jobs.stop_call(*arguments)
    assert links.run(ask) == ([], 0)
