"""Each runner's share of what an owner may have awake: reserved in the database, so that all shares of an owner are
never more than the quota together, whichever runner starts something.

A share grows in the database first and at the runner then. It shrinks at the runner first, which answers what it can't
give up, and in the database then. So what a runner keeps to is at most what is written down for it. A runner that can't
be reached counts by what it was last seen to run. The serial says which of two messages is the later one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Sum

from accounts.models import Name
from common import clock
from hosting.models import Instance, OwnerShare, Runner, RunnerPlacement
from hosting.quotas import quotas
from hosting.runner import control
from hosting.runner.seen import Held, Status
from hosting.stream.links import runner_links
from hosting.stream.stream import DetachedError, RunnerPool, RunnerUnavailableError

log = structlog.get_logger(__name__)

ASK_SECONDS = 2.0


@dataclass(frozen=True)
class Amount:
    instances: int
    memory_bytes: int


@dataclass(frozen=True)
class _Wish:
    """Make a share smaller: `row` as it is, and what it should become."""

    row: OwnerShare
    to: Amount


def share_take(owner: Name, runner: Runner, one_bytes: int) -> OwnerShare:
    """The runner's share, with room for one more instance of `one_bytes` if the quota has any left anywhere."""
    row = _grown(owner, runner, one_bytes)
    if not _has_room(row, one_bytes) and (wishes := _slack(owner, row)):
        _shrink(wishes)
        row = _grown(owner, runner, one_bytes)
    return row


def shares_balance(statuses: Iterable[tuple[Runner, Status]]) -> None:
    """Takes back what runners have no use for or too much of, and gives more to those that fell short. Each round."""
    seen = [(runner, set(status.short)) for runner, status in statuses]
    if OwnerShare.objects.exists():
        _shrink([*_idle([runner for runner, _ in seen]), *_over()])
    orders = []
    for runner, short in seen:
        for owner in Name.objects.filter(folded__in=short):
            row = share_take(owner, runner, _largest(owner, runner))
            orders.append((runner.address, _order(row, Amount(row.instances, row.memory_bytes), row.serial)))
    if orders:
        asyncio.run(_ask_all(orders))


def shares_forget(runner: Runner) -> None:
    """It is gone, and its instances with it."""
    OwnerShare.objects.filter(runner=runner).delete()


# --- growing


def _grown(owner: Name, runner: Runner, one_bytes: int) -> OwnerShare:
    with transaction.atomic():
        quotas.owner_lock(owner)
        serial = int(clock.now().timestamp() * 1000)
        row, _ = OwnerShare.objects.get_or_create(owner=owner, runner=runner, defaults={"serial": serial})
        free = _free(owner)
        is_alone = not _others_live(runner)
        if not is_alone and _has_room(row, one_bytes):
            return row
        more = free if is_alone else _half(free, one_bytes)
        instances, memory = max(0, row.instances + more.instances), max(0, row.memory_bytes + more.memory_bytes)
        if (instances, memory) != (row.instances, row.memory_bytes):
            row.instances, row.memory_bytes, row.serial = instances, memory, row.serial + 1
            row.save(update_fields=["instances", "memory_bytes", "serial"])
        return row


def _free(owner: Name) -> Amount:
    """What no runner has; below zero after the quota was lowered."""
    given = OwnerShare.objects.filter(owner=owner).aggregate(instances=Sum("instances"), memory=Sum("memory_bytes"))
    most = quotas.allowed(owner)
    return Amount(most.awake_instances - (given["instances"] or 0), most.memory_bytes - (given["memory"] or 0))


def _half(free: Amount, one_bytes: int) -> Amount:
    """The other half stays for other runners, as long as it is of use: at least one instance goes."""
    memory = max(free.memory_bytes // 2, min(free.memory_bytes, one_bytes))
    return Amount(max(0, (free.instances + 1) // 2), max(0, memory))


def _has_room(row: OwnerShare, one_bytes: int) -> bool:
    awake = _awake(row)
    return row.instances > awake.instances and row.memory_bytes >= awake.memory_bytes + one_bytes


def _others_live(runner: Runner) -> bool:
    return Runner.objects.filter(state=Runner.Status.LIVE).exclude(pk=runner.pk).exists()


def _awake(row: OwnerShare) -> Amount:
    found = Instance.objects.filter(deployment__owner_id=row.owner_id, runner_id=row.runner_id)
    return Amount(*quotas.awake_of(found))


def _largest(owner: Name, runner: Runner) -> int:
    """What one more instance of the owner's there takes at most."""
    placed = RunnerPlacement.objects.filter(runner=runner, deployment__owner=owner).select_related("deployment")
    return max((quotas.memory_of(one.deployment.kind, one.deployment.limits) for one in placed), default=0)


# --- shrinking


def _slack(owner: Name, wanting: OwnerShare) -> list[_Wish]:
    """What other runners have and don't use goes by halves, the last one whole."""
    rows = OwnerShare.objects.select_related("runner", "owner").filter(owner=owner).exclude(pk=wanting.pk)
    wishes = []
    for row in rows:
        awake = _awake(row)
        to = Amount(
            min(row.instances, awake.instances + max(0, row.instances - awake.instances) // 2),
            min(row.memory_bytes, awake.memory_bytes + max(0, row.memory_bytes - awake.memory_bytes) // 2),
        )
        if to != Amount(row.instances, row.memory_bytes):
            wishes.append(_Wish(row, to))
    return wishes


def _idle(runners: Sequence[Runner]) -> list[_Wish]:
    """Shares of owners who have nothing placed there any more."""
    placed = RunnerPlacement.objects.filter(runner=OuterRef("runner"), deployment__owner=OuterRef("owner"))
    rows = OwnerShare.objects.select_related("runner", "owner").filter(~Exists(placed), runner__in=runners)
    return [_Wish(row, Amount(0, 0)) for row in rows]


def _over() -> list[_Wish]:
    """Shares of owners whose quota was lowered, each by its part."""
    most = settings.SLIPWAY_QUOTAS
    given = OwnerShare.objects.values("owner").annotate(count=Sum("instances"), memory=Sum("memory_bytes"))
    is_much = Q(count__gt=most["awake_instances"]) | Q(memory__gt=most["memory_bytes"])
    wishes = []
    for owner in Name.objects.filter(pk__in=given.filter(is_much | Q(owner__quota__isnull=False)).values("owner")):
        free, allowed = _free(owner), quotas.allowed(owner)
        if free.instances >= 0 and free.memory_bytes >= 0:
            continue
        count, memory = allowed.awake_instances - free.instances, allowed.memory_bytes - free.memory_bytes
        for row in owner.shares.select_related("runner", "owner"):
            to = Amount(
                row.instances * min(allowed.awake_instances, count) // max(1, count),
                row.memory_bytes * min(allowed.memory_bytes, memory) // max(1, memory),
            )
            wishes.append(_Wish(row, to))
    return wishes


def _shrink(wishes: Sequence[_Wish]) -> None:
    """Asks the runners, then writes down what they gave up. Nothing is in between: serials tell."""
    orders = []
    for wish in wishes:
        OwnerShare.objects.filter(pk=wish.row.pk).update(serial=F("serial") + 1)
        wish.row.refresh_from_db(fields=["serial"])
        orders.append((wish.row.runner.address, _order(wish.row, wish.to, wish.row.serial)))
    for wish, held in zip(wishes, asyncio.run(_ask_all(orders)) if orders else [], strict=True):
        if held is None:
            awake = _awake(wish.row)
            held = Held(
                max(wish.to.instances, awake.instances),
                max(wish.to.memory_bytes, awake.memory_bytes),
                wish.row.serial,
            )
        same = OwnerShare.objects.filter(pk=wish.row.pk, serial=wish.row.serial)
        if held.serial != wish.row.serial:
            continue  # the runner has heard something later
        if held.instances or held.memory_bytes or wish.to != Amount(0, 0):
            same.update(instances=held.instances, memory_bytes=held.memory_bytes)
        else:
            same.delete()


def _order(row: OwnerShare, to: Amount, serial: int) -> control.SetShare:
    return control.SetShare(row.owner.folded, to.instances, to.memory_bytes, serial)


async def _ask_all(orders: Sequence[tuple[str, control.SetShare]]) -> list[Held | None]:
    async with runner_links() as pool:
        return list(await asyncio.gather(*(_ask(pool, address, order) for address, order in orders)))


async def _ask(pool: RunnerPool, address: str, order: control.SetShare) -> Held | None:
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return await (await pool.link(address)).ask(order)
    except (TimeoutError, RunnerUnavailableError, DetachedError) as error:
        log.info("share_not_set", owner=order.owner, error=str(error))
        return None
