"""Runners announcing themselves, and what operators ask of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import transaction

from common import clock
from common.errors import BadInput, Conflict, NotFound, Unavailable
from events.actors import Actor
from events.audit import record
from hosting.fleet.placing import placements_drain
from hosting.models import Runner
from hosting.runner import control
from hosting.runner.seen import Status
from hosting.stream.links import runner_links
from hosting.stream.stream import DetachedError, RunnerLink, RunnerUnavailableError

_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")  # ids of exchanges are "<runner>.<boot>.<random>", so no dots
MAX_NAME = 50
RESTART_SECONDS = 30.0
T = TypeVar("T")


def runner_register(*, actor: Actor, name: str, address: str) -> Runner:
    """Makes the runner known, or known again at this address. It is taken for alive from now on."""
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise BadInput("runner_name_invalid", "A runner's name has lower-case letters, digits and single hyphens.")
    if not address.startswith(("unix:/", "tls:")):
        raise BadInput("runner_address_invalid", "A runner listens at unix:/PATH or tls:HOST:PORT.")
    with transaction.atomic():
        runner, _ = Runner.objects.update_or_create(
            name=name,
            defaults={
                "address": address,
                "state": Runner.Status.LIVE,
                "draining": False,
                "last_seen_at": clock.now(),
            },
        )
        record(actor, "runner:register", "runner", runner.pk, name=name, address=address)
    return runner


def runner_drain(*, actor: Actor, name: str, is_on: bool = True) -> list[UUID]:
    """Has a runner take nothing new, or take it again. Gives the deployments that went to others; what nobody else can
    take, and what keeps data there, stays. What runs there goes on. Raises NotFound and Unavailable.
    """
    runner = _runner(name)
    _tell(runner, lambda link: link.ask(control.Drain(is_on)))
    with transaction.atomic():
        Runner.objects.filter(pk=runner.pk).update(draining=is_on)
        moved = placements_drain(runner) if is_on else []
        record(actor, "runner:drain" if is_on else "runner:undrain", "runner", runner.pk, name=name)
    return moved


def runner_options() -> dict[str, str]:
    """Settings of the operator's as a runner is told of them: `networks` and `ports` that may be reached."""
    ports = ",".join(map(str, settings.SLIPWAY_EGRESS_PORTS))
    return {"networks": ",".join(settings.SLIPWAY_EGRESS_PRIVATE), "ports": ports}


def runner_restart(*, actor: Actor, name: str, takes_settings: bool = False) -> None:
    """Has a runner execute itself anew, with all that runs. `takes_settings`: with `runner_options` as they are here,
    instead of those that it was started with. Raises NotFound, Unavailable, and Conflict with the reason when it goes
    on as it was."""
    runner = _runner(name)
    options = runner_options() if takes_settings else {}
    record(actor, "runner:restart", "runner", runner.pk, name=name, **options)
    status = _tell(runner, lambda link: _restarted(link, control.Restart(**options)))
    if status.restart_problem:
        raise Conflict("restart_refused", f"{name} goes on as it was: {status.restart_problem}.")


async def _restarted(link: RunnerLink, restart: control.Restart) -> Status:
    before = await link.ask(control.GetStatus())
    await link.ask(restart)
    while True:
        status = await link.ask(control.GetStatus())
        if status.restart_problem or status.restarts > before.restarts:
            return status
        await asyncio.sleep(0.1)


def _runner(name: str) -> Runner:
    runner = Runner.objects.filter(name=name).first()
    if runner is None:
        raise NotFound("runner_unknown", f"There is no runner named {name}.")
    return runner


def _tell(runner: Runner, saying: Callable[[RunnerLink], Awaitable[T]]) -> T:
    async def run() -> T:
        async with runner_links() as pool, asyncio.timeout(RESTART_SECONDS):
            return await saying(await pool.link(runner.address))

    try:
        return asyncio.run(run())
    except (RunnerUnavailableError, DetachedError, TimeoutError) as error:
        raise Unavailable("runner_silent", f"The runner {runner.name} doesn't answer: {error}") from error
