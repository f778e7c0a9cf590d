"""What the site makes of a runner's answer, and of its silence.

`watch` runs beside the clock (beat), of which there is one: a thread of its own, so that no job is waited for. A frozen
or killed runner is proven silent within 8 s (`pulse`), and what it held goes to others at once.

A deployment that had instances on a runner that is gone is wanted: one is started elsewhere by a look at its tools, so
that the next caller need not wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import NoReturn
from uuid import UUID

import structlog
from django.db import connection, transaction

from common import clock
from events.actors import SYSTEM
from events.audit import record
from hosting import queue
from hosting.fleet.owner_shares import shares_forget
from hosting.fleet.placing import placements_drain, placements_move_from
from hosting.fleet.pulse import MISSES, ROUND_SECONDS, Pulses
from hosting.models import Deployment, Instance, Runner
from hosting.runner.seen import Status
from hosting.services import deployment_move
from hosting.states import State
from hosting.stream.links import LinkThread

log = structlog.get_logger(__name__)

AWAKE = ("starting", "running")


def runner_seen(runner: Runner, status: Status) -> None:
    """It has answered."""
    with transaction.atomic():
        if runner.state == Runner.Status.DEAD:
            record(SYSTEM, "runner:back", "runner", runner.pk, name=runner.name)
        was_restarted = bool(runner.boot) and runner.boot != status.boot
        runner.state, runner.boot, runner.draining = Runner.Status.LIVE, status.boot, status.draining
        runner.last_seen_at = clock.now()
        runner.memory_bytes, runner.memory_limit_bytes = status.memory_bytes, status.memory_limit_bytes
        runner.instances_seen = sum(len(placed.instances) for placed in status.placements)
        runner.save(
            update_fields=[
                "state", "boot", "draining", "last_seen_at", "memory_bytes", "memory_limit_bytes", "instances_seen",
            ]
        )  # fmt: skip
        if was_restarted:
            _start_again(_awake(runner) - {UUID(placed.deployment) for placed in status.placements})
        if status.draining and (moved := placements_drain(runner)):
            record(SYSTEM, "runner:drained", "runner", runner.pk, name=runner.name, moved=[str(pk) for pk in moved])


def watch() -> NoReturn:
    """Goes on for as long as the process does; for a thread that does nothing else. A database that does not answer
    says nothing of runners: nobody is asked meanwhile."""
    links, pulses = LinkThread(), Pulses()
    while True:
        try:
            addresses = dict(Runner.objects.filter(state=Runner.Status.LIVE).values_list("name", "address"))
            runners_judge(links.run(lambda pool, asked=addresses: pulses.round(pool, asked)))  # type: ignore[misc]
        except Exception:  # whatever it was, runners are watched on
            log.exception("runner_watch_failed")
            connection.close()
            time.sleep(ROUND_SECONDS)


def runners_judge(silent: Collection[str]) -> None:
    """What these runners, which were proven silent, held goes to others, unless somebody else has heard them."""
    unheard_since = clock.now() - timedelta(seconds=MISSES * ROUND_SECONDS)
    for runner in Runner.objects.filter(name__in=silent, state=Runner.Status.LIVE, last_seen_at__lt=unheard_since):
        runner_died(runner)


def runner_died(runner: Runner) -> None:
    """Its instances are gone as far as anybody can know; should it come back, its placements are out of date."""
    with transaction.atomic():
        if not Runner.objects.filter(pk=runner.pk, state=Runner.Status.LIVE).update(state=Runner.Status.DEAD):
            return
        wanted = _awake(runner)
        Instance.objects.filter(runner=runner).delete()
        shares_forget(runner)
        moved = placements_move_from(runner)
        record(SYSTEM, "runner:dead", "runner", runner.pk, name=runner.name, moved=[str(pk) for pk in moved])
        for deployment_id in moved:
            words = f"its runner {runner.name} doesn't answer; it is started elsewhere"
            deployment_move(deployment_id, State.READY, words, only_from=frozenset({State.STARTING, State.RUNNING}))
        _start_again(wanted)
        queue.sweep_tasks()  # the silence took long enough: no task says any longer that it runs there
    log.warning("runner_dead", runner=runner.name, moved=len(moved))


def _awake(runner: Runner) -> set[UUID]:
    """Deployments with a living instance there, when it was last seen."""
    return set(Instance.objects.filter(runner=runner, state__in=AWAKE).values_list("deployment_id", flat=True))


def _start_again(deployments: Iterable[UUID]) -> None:
    wanted = Deployment.objects.filter(pk__in=list(deployments), wanted=Deployment.Wanted.RUNNING)
    for deployment_id in wanted.values_list("pk", flat=True):
        queue.inspect(deployment_id)
