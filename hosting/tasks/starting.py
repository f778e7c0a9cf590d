"""Starting a task by a job, where the web process that accepted it could not: nothing was placed, or it died.

The row names its exchange before there is one: whoever finds it like this opens the same again.
"""

from __future__ import annotations

from common.errors import NotFound, Unavailable
from hosting.links import links
from hosting.models import Task
from hosting.runner import control
from hosting.runner.frames import Reason
from hosting.stream import DetachedError, RunnerLink, RunnerPool, RunnerUnavailableError
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
    if task.state == State.ACCEPTED and not _claim(task, place):
        return  # cancelled, or another job was faster
    steps.reached(Step.CLAIMED)
    if task.runner_id != place.runner.pk:
        _move(task)
    elif links.run(lambda pool: _open(pool, place.address, task, place.placement)):
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

    async def ask(pool: RunnerPool) -> control.OutboxSeen:
        return await (await pool.link(runner.address)).ask(control.GetOutbox(0.0, [task.id]))

    seen = links.run(ask)
    if task.id not in seen.holding and task.exchange.startswith(seen.calls):
        services.task_again(task, "starting again")


async def _open(pool: RunnerPool, address: str, task: Task, placement: control.Placement) -> bool:
    """Opens the exchange, or the same again. False when that runner was restarted since: the sweep sees to it."""
    link = await pool.link(address)
    if not task.exchange.startswith(f"{link.runner}.{link.boot}."):
        return False
    ended = await _opened_somehow(link, task, placement)
    if ended is not None and ended.reason == Reason.UNPLACED:
        await link.ask(control.Place(placement))
        ended = await _opened_somehow(link, task, placement)
    if ended is None or ended.reason in (Reason.DONE, Reason.NO_SESSION):
        return True
    raise Unavailable("not_started", str(ended))


async def _opened_somehow(link: RunnerLink, task: Task, placement: control.Placement) -> DetachedError | None:
    """In its session, or, where that is over, on an instance of its own. Why it was refused, None when it was not."""
    ended = await _opened(link, task, placement, task.session)
    if ended is not None and ended.reason == Reason.NO_SESSION and task.session:
        ended = await _opened(link, task, placement, "")
    return ended


async def _opened(link: RunnerLink, task: Task, placement: control.Placement, session: str) -> DetachedError | None:
    attachment = call_open(
        link,
        task,
        task_id=task.id,
        attempt=task.attempts,
        epoch=placement.epoch,
        generation=placement.generation,
        session=session,
    )
    try:
        # Frames are taken in order, so the answer to a question about nothing comes after a refusal to open.
        await link.ask(control.Cancel(exchange="", owner=task.exchange_owner))
        return attachment.ended
    finally:
        attachment.close()
