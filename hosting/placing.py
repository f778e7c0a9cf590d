"""Which runner holds a deployment. The epoch grows with every move, so that a runner that missed one gives way."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Q

from common import clock
from common.errors import Unavailable
from hosting.models import Deployment, Runner, RunnerPlacement
from hosting.routing import Route, not_callable, route_by_id


def placement_ensure(deployment_id: UUID | str, exclude_runner: str | None = None) -> Route:
    """The route, with a living runner. Moves the placement only where it has none.

    `exclude_runner` is the name or address of a runner that the caller couldn't reach. Raises Unavailable when no
    runner can take it, or when the deployment can't be called; NotFound when it is gone.
    """
    route = route_by_id(deployment_id)
    if not route.is_callable:
        raise not_callable(route)
    with transaction.atomic():
        placement = _locked(deployment_id)
        runner = placement.runner
        if runner is None or not _is_usable(runner, exclude_runner):
            _move(placement, _least_loaded(exclude_runner))
    return route_by_id(deployment_id)


def placement_renew(deployment: Deployment) -> None:
    """The same runner, a new epoch: what it holds is out of date and is replaced with the next call."""
    RunnerPlacement.objects.get_or_create(deployment=deployment)
    RunnerPlacement.objects.filter(deployment=deployment).update(epoch=F("epoch") + 1)


def placement_drop(deployment: Deployment) -> tuple[str, int] | None:
    """Takes the deployment from its runner. Gives that runner's address and the epoch it may hold, if there was one."""
    with transaction.atomic():
        placement = _locked(deployment.pk)
        if placement.runner is None:
            return None
        held = (placement.runner.address, placement.epoch)
        RunnerPlacement.objects.filter(pk=placement.pk).update(runner=None, epoch=F("epoch") + 1)
    return held


def placements_move_from(runner: Runner) -> list[UUID]:
    """Everything that a dead runner held goes to living ones, or waits unplaced for one. Gives the deployments' ids."""
    moved: list[UUID] = []
    ids = list(RunnerPlacement.objects.filter(runner=runner).values_list("deployment_id", flat=True))
    for deployment_id in ids:
        with transaction.atomic():
            placement = _locked(deployment_id)
            if placement.runner_id != runner.pk:
                continue
            try:
                _move(placement, _least_loaded(runner.name))
            except Unavailable:
                _move(placement, None)
            moved.append(deployment_id)
    return moved


def _locked(deployment_id: UUID | str) -> RunnerPlacement:
    RunnerPlacement.objects.get_or_create(deployment_id=deployment_id)
    # of: only the placement. Locking the runner's row too would make every move wait for every other.
    return (
        RunnerPlacement.objects.select_related("runner")
        .select_for_update(of=("self",))
        .get(deployment_id=deployment_id)
    )


def _move(placement: RunnerPlacement, runner: Runner | None) -> None:
    RunnerPlacement.objects.filter(pk=placement.pk).update(runner=runner, epoch=F("epoch") + 1, placed_at=clock.now())


def _is_usable(runner: Runner, exclude: str | None) -> bool:
    return runner.state == Runner.Status.LIVE and not runner.draining and exclude not in (runner.name, runner.address)


def _least_loaded(exclude: str | None) -> Runner:
    runners = Runner.objects.filter(state=Runner.Status.LIVE, draining=False)
    if exclude:
        runners = runners.exclude(Q(name=exclude) | Q(address=exclude))
    runner = runners.annotate(load=Count("placements")).order_by("load", "name").first()
    if runner is None:
        raise Unavailable("no_runner", "No runner can take this server at this moment. Try again in a few seconds.")
    return runner
