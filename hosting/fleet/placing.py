"""Which runner holds a deployment, and since when.

The epoch says where: it grows with every move, so that a runner that missed one gives way. The generation says what: it
grows with every version and setting; what began with an earlier one may finish where it is.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Q
from django.utils.translation import gettext

from common import clock
from common.errors import Unavailable
from hosting.models import DataFolder, Deployment, Runner, RunnerPlacement
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
        runner, keeper = placement.runner, _keeper_of_data(deployment_id)
        if keeper is not None:
            _move_to_data(placement, keeper, exclude_runner)
        elif runner is None or not _is_usable(runner, exclude_runner):
            _move(placement, _least_loaded(exclude_runner))
    return route_by_id(deployment_id)


def placement_renew(deployment: Deployment) -> None:
    """The same runner, a new generation: the next call brings it there, and what runs finishes as it began."""
    RunnerPlacement.objects.get_or_create(deployment=deployment)
    RunnerPlacement.objects.filter(deployment=deployment).update(generation=F("generation") + 1)


def placement_replace(deployment: Deployment) -> None:
    """The same runner, a new epoch: what it holds ends with the next call, running calls and sessions too."""
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
    """What a dead runner held goes to living ones, or waits unplaced for one; what keeps data there waits for it to be
    back. Gives the ids of those that went."""
    moved: list[UUID] = []
    ids = list(RunnerPlacement.objects.filter(runner=runner).values_list("deployment_id", flat=True))
    for deployment_id in ids:
        with transaction.atomic():
            placement = _locked(deployment_id)
            if placement.runner_id != runner.pk or _keeper_of_data(deployment_id) is not None:
                continue
            try:
                _move(placement, _least_loaded(runner.name))
            except Unavailable:
                _move(placement, None)
            moved.append(deployment_id)
    return moved


def placements_drain(runner: Runner) -> list[UUID]:
    """What a runner that takes nothing new holds goes to others; what nobody else can take stays. Gives the ids."""
    moved: list[UUID] = []
    for deployment_id in list(RunnerPlacement.objects.filter(runner=runner).values_list("deployment_id", flat=True)):
        with transaction.atomic():
            placement = _locked(deployment_id)
            if placement.runner_id == runner.pk and not placement.deployment.has_data_folder:
                try:
                    _move(placement, _least_loaded(runner.name))
                except Unavailable:
                    break
                moved.append(deployment_id)
    return moved


def _locked(deployment_id: UUID | str) -> RunnerPlacement:
    RunnerPlacement.objects.get_or_create(deployment_id=deployment_id)
    # of: only the placement. Locking the runner's row too would make every move wait for every other.
    return (
        RunnerPlacement.objects.select_related("runner", "deployment")
        .select_for_update(of=("self",))
        .get(deployment_id=deployment_id)
    )


def _move(placement: RunnerPlacement, runner: Runner | None) -> None:
    RunnerPlacement.objects.filter(pk=placement.pk).update(runner=runner, epoch=F("epoch") + 1, placed_at=clock.now())


def _keeper_of_data(deployment_id: UUID | str) -> Runner | None:
    """The runner where its data folders lie. They can't move, so it can't."""
    folders = DataFolder.objects.select_related("runner").filter(deployment__has_data_folder=True)
    folder = folders.filter(deployment_id=deployment_id).first()
    return folder.runner if folder is not None else None


def _move_to_data(placement: RunnerPlacement, keeper: Runner, exclude: str | None) -> None:
    if keeper.state != Runner.Status.LIVE or exclude in (keeper.name, keeper.address):
        raise Unavailable(
            "data_away",
            gettext(
                "This server's data lies on the runner %(keeper)s, which doesn't answer. It can be called "
                "again when that one is back."
            )
            % {"keeper": keeper.name},
            retry_after=10,
        )
    if placement.runner_id != keeper.pk:
        _move(placement, keeper)


def _is_usable(runner: Runner, exclude: str | None) -> bool:
    return runner.state == Runner.Status.LIVE and not runner.draining and exclude not in (runner.name, runner.address)


def _least_loaded(exclude: str | None) -> Runner:
    """By memory in steps of a tenth, then by what it runs and was given since it was last seen."""
    recent = Count("placements", filter=Q(placements__placed_at__gt=F("last_seen_at")))
    runners = Runner.objects.filter(state=Runner.Status.LIVE, draining=False).annotate(recent=recent)
    if exclude:
        runners = runners.exclude(Q(name=exclude) | Q(address=exclude))
    loads = [(_memory_share(runner), runner.instances_seen + runner.recent, runner.name, runner) for runner in runners]
    if not loads:
        raise Unavailable(
            "no_runner", gettext("No runner can take this server at this moment. Try again in a few seconds.")
        )
    return min(loads, key=lambda load: load[:3])[3]


def _memory_share(runner: Runner) -> int:
    """Used tenths of its memory."""
    return runner.memory_bytes * 10 // runner.memory_limit_bytes if runner.memory_limit_bytes else 0
