"""What a runner says of itself when the site asks."""

from __future__ import annotations

from hosting.runner.memory import memory_limit
from hosting.runner.placed import Placed
from hosting.runner.runner import Runner
from hosting.runner.seen import PlacementSeen, Status


def status_of(runner: Runner) -> Status:
    placements = [_seen(placed) for placed in runner.placed.values()]
    used = sum(instance.memory_bytes for placed in placements for instance in placed.instances)
    return Status(
        runner=runner.name,
        boot=runner.boot,
        started_at=runner.started_at,
        draining=runner.draining,
        restarts=runner.restarts,
        restart_problem=runner.restart_problem,
        short=runner.shares.short(),
        placements=placements,
        folders=runner.folders.seen(),
        memory_bytes=used,
        memory_limit_bytes=memory_limit(used),
    )


def _seen(placed: Placed) -> PlacementSeen:
    instances = [instance.seen() for instance in placed.instances.values()]
    states = {instance.state for instance in instances}
    if "running" in states:
        state, reason = "running", _running_words(placed)
    elif "starting" in states:
        state, reason = "starting", next(i.reason for i in instances if i.state == "starting")
    elif placed.last_failure:
        state, reason = "failed", placed.last_failure
    else:
        state, reason = "asleep", "asleep"
    placement = placed.placement
    return PlacementSeen(
        deployment=placement.deployment,
        version=placement.version,
        epoch=placement.epoch,
        state=state,
        reason=reason,
        instances=instances,
        sign_in=placed.sign_in,
        refused=placed.judge.seen(),
        own_sign_ins=list(placed.own_sign_ins.values()),
    )


def _running_words(placed: Placed) -> str:
    count = len(placed.instances)
    earlier = sum(1 for i in placed.instances.values() if i.retires_at)
    words = f"running: {count} instances" if count != 1 else "running: 1 instance"
    return f"{words}, {earlier} of an earlier version" if earlier else words
