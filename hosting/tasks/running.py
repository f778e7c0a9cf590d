"""What jobs do with a task that runs: take what its runner's outbox has of it, and look after what got stuck.

No job waits for a tool. Each may come twice, late or beside itself: the task's row decides (`services`).
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import transaction
from django.db.models import F, Q

from common import clock
from common.errors import Conflict
from hosting import queue
from hosting.models import Runner, Task
from hosting.runner import control
from hosting.runner.frames import TERMINAL, Event, Mode, Reason
from hosting.runner.seen import OutboxSeen
from hosting.stream.links import links
from hosting.stream.stream import DetachedError, RunnerPool, RunnerUnavailableError
from hosting.tasks import bodies, selectors, services, steps
from hosting.tasks.lacking import tasks_stranded
from hosting.tasks.states import OPEN, RUNNING, Outcome, Seen, State, advance
from hosting.tasks.steps import Step
from hosting.usage.tallies import tasks_tally

log = structlog.get_logger(__name__)

CALM_SECONDS = 0.05  # no further event for so long: what there is has been read
READ_SECONDS = 10.0
START_FORGOTTEN_AFTER = timedelta(seconds=5)
RUN_FORGOTTEN_AFTER = timedelta(seconds=10)
UNBORN_SECONDS = 60.0
MAX_AT_ONCE = 500
GIVEN_UP = 2**62  # acknowledges whatever may still come


# --- take


def task_advance(task_id: str) -> None:
    """Takes what the runner has of this task. Raises RunnerUnavailableError: the sweep sees to it."""
    task = Task.objects.select_related("runner").filter(pk=task_id).first()
    if task is None or task.runner is None:
        return
    address = task.runner.address
    if task.is_ended:
        links.run(lambda pool: _acknowledge(pool, address, task.id, GIVEN_UP))
        return
    try:
        events, instance = links.run(lambda pool: _read(pool, address, task))
    except DetachedError as error:
        if error.reason != Reason.LOST:
            raise
        task_lost(task, "its runner knows nothing of it any more")
        return
    before = Seen.of(task)
    seen = advance(before, events)
    if seen.seq == before.seq:
        return
    steps.reached(Step.READ)
    if seen.outcome is Outcome.LOST and task.may_run_again:
        taken = services.task_again(task, f"started again: {seen.reason}")
    else:
        taken = services.task_take(task, before.seq, seen, instance=instance)
    if taken:
        steps.reached(Step.TAKEN)
        links.run(lambda pool: _acknowledge(pool, address, task.id, seen.seq))


async def _acknowledge(pool: RunnerPool, address: str, task_id: str, seq: int) -> None:
    await (await pool.link(address)).ask(control.Acknowledge(task_id, seq))


async def _read(pool: RunnerPool, address: str, task: Task) -> tuple[list[Event], str]:
    """All events after the last one that was taken, and on which instance the call runs.

    Raises DetachedError and RunnerUnavailableError.
    """
    link = await pool.link(address)
    attachment = link.attach(f"task:{task.id}", owner=task.exchange_owner, after=task.last_seq, mode=Mode.OBSERVE)
    events: list[Event] = []
    try:
        async with asyncio.timeout(READ_SECONDS):
            while not events or events[-1].kind not in TERMINAL:
                if not await attachment.wait(CALM_SECONDS):
                    break
                try:
                    events.append(await attachment.next())
                except DetachedError as error:
                    if error.reason == Reason.DONE:
                        break
                    raise
    finally:
        attachment.close()
    return events, task.instance or (await link.ask(control.GetCall(task.id))).instance


def task_lost(task: Task, reason: str) -> None:
    """Nobody knows how far its call came: over, or begun anew where that was allowed."""
    if task.may_run_again:
        services.task_again(task, f"started again: {reason}")
    else:
        services.task_end(task, Outcome.LOST, reason)


def task_stop(task_id: str) -> None:
    """Has the call of a task that is over cancelled at its runner."""
    task = Task.objects.select_related("runner").filter(pk=task_id).first()
    if task is None or task.runner is None or not task.exchange:
        return
    call_stop(task.runner.address, task.exchange, task.exchange_owner, task.id, task.reason)


def call_stop(address: str, exchange: str, owner: str, task_id: str, reason: str) -> None:
    """Has a task's call cancelled, and forgotten. Raises RunnerUnavailableError and DetachedError."""

    async def stop(pool: RunnerPool) -> None:
        link = await pool.link(address)
        await link.ask(control.Cancel(exchange, owner, reason))
        await link.ask(control.Acknowledge(task_id, GIVEN_UP))

    links.run(stop)


# --- look after


def sweep() -> None:
    """Every few seconds: what was accepted and never started, what runs where nobody knows it, what has expired."""
    now = clock.now()
    if Task.objects.filter(state__in=OPEN).exists():  # most rounds of most sites end here
        _look_after_open(now)
    for runner in Runner.objects.all():
        _look_at(runner)
    _expire(now)


def _look_after_open(now: datetime) -> None:
    tasks_stranded()
    _cancel_without_access()
    forgotten = Q(state=State.ACCEPTED, looked_at__lt=now - START_FORGOTTEN_AFTER)
    forgotten |= Q(state=State.STARTING, looked_at__lt=now - RUN_FORGOTTEN_AFTER)
    for task_id in Task.objects.filter(forgotten).values_list("pk", flat=True)[:MAX_AT_ONCE]:
        queue.start_task(task_id)
    homeless = Q(runner=None) | Q(runner__state=Runner.Status.DEAD)
    for task in Task.objects.filter(homeless, state__in=RUNNING).iterator(MAX_AT_ONCE):
        task_lost(task, "its runner is gone")
    _raise_ttl()


def _cancel_without_access() -> None:
    """A task outlives its client and its token, not the right of its user to call that server."""
    for task, reason in selectors.tasks_without_access(MAX_AT_ONCE):
        with contextlib.suppress(Conflict):  # it ended meanwhile
            services.task_cancel(task, reason)


def _expire(now: datetime) -> None:
    """What a task was given, said and gave goes together; that it was stays as a number."""
    expired = Task.objects.filter(expires_at__lt=now, state=State.ENDED).order_by("expires_at")
    with transaction.atomic():
        ids = list(expired.select_for_update(skip_locked=True).values_list("pk", flat=True)[:MAX_AT_ONCE])
        if ids:
            tasks_tally(ids)
            Task.objects.filter(pk__in=ids).delete()
    bodies.bodies_sweep()


def _raise_ttl() -> None:
    """No working task expires: its TTL grows while it works."""
    now = clock.now()
    Task.objects.filter(expires_at__lt=now + services.KEPT_AFTER_END).exclude(state=State.ENDED).update(
        expires_at=now + 2 * services.KEPT_AFTER_END, ttl_ms=F("ttl_ms") + 120_000
    )


def _look_at(runner: Runner) -> None:
    """Asks a runner for news that nobody took, and whether it still has what is said to run there."""
    if runner.state != Runner.Status.LIVE:
        return
    old = Task.objects.filter(runner=runner, state__in=RUNNING, looked_at__lt=clock.now() - RUN_FORGOTTEN_AFTER)
    ids = list(old.order_by("looked_at").values_list("pk", flat=True)[:MAX_AT_ONCE])
    try:
        seen = links.run(lambda pool: _ask(pool, runner.address, control.GetOutbox(2.0, ids)))
    except (RunnerUnavailableError, DetachedError, TimeoutError) as error:
        log.info("outbox_not_read", runner=runner.name, error=str(error))
        return
    if seen.news:
        queue.take_news(runner.name, again=True)
    _drop_unborn(runner)
    missing = set(ids) - set(seen.holding)
    for task in old.filter(pk__in=missing):  # old still: a job may have brought it there meanwhile
        if task.state == State.STARTING:
            if not task.exchange.startswith(seen.calls):  # else its job, queued above, opens the same call again
                services.task_again(task, "starting again")  # the header of its call never came to disk: it never ran
        else:
            task_lost(task, "its runner was restarted during the call")
    Task.objects.filter(pk__in=set(ids) - missing, state__in=RUNNING).update(looked_at=clock.now())


def _drop_unborn(runner: Runner) -> None:
    """Calls that were to become tasks and never did: their row was not committed."""
    address = runner.address
    try:
        old = links.run(lambda pool: _ask(pool, address, control.GetOutbox(UNBORN_SECONDS, [])))
        known = set(Task.objects.filter(pk__in=old.news).values_list("pk", flat=True))
        for unborn in set(old.news) - known:
            links.run(partial(_acknowledge, address=address, task_id=unborn, seq=GIVEN_UP))
    except (RunnerUnavailableError, DetachedError, TimeoutError) as error:
        log.info("outbox_not_read", runner=runner.name, error=str(error))


async def _ask(pool: RunnerPool, address: str, operation: control.GetOutbox) -> OutboxSeen:
    return await (await pool.link(address)).ask(operation)
