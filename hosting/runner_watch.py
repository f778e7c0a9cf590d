"""What the site makes of a runner's answer, and of its silence.

A deployment that had instances on a runner that is gone is wanted: one is started elsewhere by a look at its tools, so
that the next caller need not wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q

from common import clock
from events.actors import SYSTEM
from events.audit import record
from hosting import queue
from hosting.models import Deployment, Instance, Runner
from hosting.owner_shares import shares_forget
from hosting.placing import placements_drain, placements_move_from
from hosting.runner import control
from hosting.services import deployment_move
from hosting.states import State

log = structlog.get_logger(__name__)

UNASKED_AFTER = timedelta(seconds=30)  # a runner that is asked every few seconds is dead long before
AWAKE = ("starting", "running")


def runner_seen(runner: Runner, status: control.Status) -> None:
    """It has answered."""
    with transaction.atomic():
        if runner.state == Runner.Status.DEAD:
            record(SYSTEM, "runner:back", "runner", runner.pk, name=runner.name)
        was_restarted = bool(runner.boot) and runner.boot != status.boot
        runner.state, runner.boot, runner.draining = Runner.Status.LIVE, status.boot, status.draining
        runner.last_seen_at, runner.silent_since = clock.now(), None
        runner.memory_bytes, runner.memory_limit_bytes = status.memory_bytes, status.memory_limit_bytes
        runner.instances_seen = sum(len(placed.instances) for placed in status.placements)
        runner.save(
            update_fields=[
                "state", "boot", "draining", "last_seen_at", "silent_since",
                "memory_bytes", "memory_limit_bytes", "instances_seen",
            ]
        )  # fmt: skip
        if was_restarted:
            _start_again(_awake(runner) - {UUID(placed.deployment) for placed in status.placements})
        if status.draining and (moved := placements_drain(runner)):
            record(SYSTEM, "runner:drained", "runner", runner.pk, name=runner.name, moved=[str(pk) for pk in moved])


def runner_silent(runner: Runner) -> None:
    """It was asked and has not answered. That nobody could ask (no worker, no database) says nothing about a runner:
    a silence that was noted before such a time begins anew."""
    now = clock.now()
    first = Q(silent_since=None) | Q(silent_since__lt=now - UNASKED_AFTER)
    Runner.objects.filter(first, pk=runner.pk, state=Runner.Status.LIVE).update(silent_since=now)


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
