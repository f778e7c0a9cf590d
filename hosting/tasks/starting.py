"""Starting a task by a job, where the web process that accepted it could not: nothing was placed, or it died.

The row names its exchange before there is one: whoever finds it like this opens the same again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from common.errors import NotFound, Unavailable
from hosting.credentials.personal import brought_for, personal_for
from hosting.credentials.waiting import task_waits
from hosting.models import Task
from hosting.runner import control
from hosting.runner.frames import Reason
from hosting.runner.placement import Placement
from hosting.runner.seen import OutboxSeen
from hosting.stream.links import links
from hosting.stream.stream import DetachedError, RunnerLink, RunnerPool, RunnerUnavailableError
from hosting.tasks import services, steps
from hosting.tasks.opening import call_open, random_part
from hosting.tasks.places import Place, place_forget, place_of
from hosting.tasks.states import Outcome, State
from hosting.tasks.steps import Step


def task_start(task_id: str) -> None:
    """Opens the task's exchange, or the same one again. Raises Unavailable or RunnerUnavailableError: try later."""
    task = Task.objects.select_related("runner").filter(pk=task_id).first()
    if task is None or task.state not in (State.ACCEPTED, State.STARTING):
        return
    try:
        place = place_of(task.deployment_id)
    except NotFound:
        services.task_end(task, Outcome.CANCELLED, "its server was deleted")
        return
    try:
        _start_at(task, place)
    except (Unavailable, RunnerUnavailableError):
        place_forget(task.deployment_id)
        raise


def _start_at(task: Task, place: Place) -> None:
    if task.state == State.ACCEPTED and place.is_personal and task_waits(task):
        return
    if task.state == State.ACCEPTED and not _claim(task, place):
        return  # cancelled, or another job was faster
    steps.reached(Step.CLAIMED)
    if task.runner_id != place.runner.pk:
        _move(task)
    elif _open_at(task, place):
        steps.reached(Step.OPENED)
        services.tasks_running([task.id])


def _claim(task: Task, place: Place) -> bool:
    """Writes down which exchange it will be, before there is one. Raises RunnerUnavailableError."""

    async def name(pool: RunnerPool) -> str:
        return (await pool.link(place.address)).exchange_id(random_part(task.id, task.attempts + 1))

    return services.task_starting(task, runner=place.runner, exchange=links.run(name))


def _move(task: Task) -> None:
    """Its server was placed elsewhere since: begun anew there, unless it runs. Raises as a link does."""
    runner = task.runner
    if runner is None:
        return  # the sweep sees to it

    async def ask(pool: RunnerPool) -> OutboxSeen:
        return await (await pool.link(runner.address)).ask(control.GetOutbox(0.0, [task.id]))

    seen = links.run(ask)
    if task.id not in seen.holding and task.exchange.startswith(seen.calls):
        services.task_again(task, "starting again")


def _open_at(task: Task, place: Place) -> bool:
    """Opens the exchange, or the same again. False when that runner was restarted since: the sweep sees to it."""
    mark = brought_for(task.deployment_id, task.user_id).mark if place.is_personal and task.user_id else ""
    attempt = Attempt(task, place.placement, mark)
    is_same, ended = links.run(lambda pool: _open(pool, place.address, attempt, []))
    if ended is not None and ended.reason == Reason.UNPLACED:
        needed: list[control.Place | control.PlacePersonal] = [control.Place(place.placement)]
        if mark and task.user_id:
            needed.append(personal_for(task.deployment_id, task.user_id))
        is_same, ended = links.run(lambda pool: _open(pool, place.address, attempt, needed))
    if ended is None or ended.reason in (Reason.DONE, Reason.NO_SESSION):
        return is_same
    raise Unavailable("not_started", str(ended))


class Attempt(NamedTuple):
    task: Task
    placement: Placement
    personal: str  # the mark of what its user brought


async def _open(
    pool: RunnerPool, address: str, attempt: Attempt, needed: Sequence[control.Place | control.PlacePersonal]
) -> tuple[bool, DetachedError | None]:
    """(whether it is the runner that the row names, why the call was refused there: None when it was not)."""
    link = await pool.link(address)
    if not attempt.task.exchange.startswith(f"{link.runner}.{link.boot}."):
        return False, None
    for operation in needed:
        await link.ask(operation)
    return True, await _opened_somehow(link, attempt)


async def _opened_somehow(link: RunnerLink, attempt: Attempt) -> DetachedError | None:
    """In its session, or, where that is over, on an instance of its own. Why it was refused, None when it was not."""
    ended = await _opened(link, attempt, attempt.task.session)
    if ended is not None and ended.reason == Reason.NO_SESSION and attempt.task.session:
        ended = await _opened(link, attempt, "")
    return ended


async def _opened(link: RunnerLink, attempt: Attempt, session: str) -> DetachedError | None:
    task, placement, mark = attempt
    attachment = call_open(
        link,
        task,
        task_id=task.id,
        attempt=task.attempts,
        epoch=placement.epoch,
        generation=placement.generation,
        session=session,
        personal=mark,
    )
    try:
        # Frames are taken in order, so the answer to a question about nothing comes after a refusal to open.
        await link.ask(control.Cancel(exchange="", owner=task.exchange_owner))
        return attachment.ended
    finally:
        attachment.close()
