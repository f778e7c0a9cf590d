"""How much of everything an owner may use, how much is used, and the checks where the work starts.

What differs for one owner stands in a Quota row, the rest in the site's settings. Months are calendar months, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from django.conf import settings
from django.db.models import F, QuerySet, Sum
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Name
from accounts.permissions import may_own_as
from accounts.selectors import name_find
from common import clock, sizes
from common.errors import AppError, NotFound
from events.actors import Actor
from hosting.configuration import limits
from hosting.models import Deployment, Instance, Quota, UsageDay
from hosting.quotas.stored import store_bytes_of
from hosting.states import State

AWAKE: Final = ("starting", "running")
RESERVED_SECONDS: Final = 60.0  # of a build that begins, until it is known how long it took


@dataclass(frozen=True)
class Amounts:
    """What is used, or allowed. Build seconds and egress are of this month."""

    deployments: int
    awake_instances: int
    memory_bytes: int
    build_seconds: float
    store_bytes: int
    egress_bytes: int


NAMES: Final = {
    "deployments": gettext_lazy("deployments"),
    "awake_instances": gettext_lazy("awake instances"),
    "memory_bytes": gettext_lazy("memory of awake instances"),
    "build_seconds": gettext_lazy("build minutes a month"),
    "store_bytes": gettext_lazy("bytes in the store"),
    "egress_bytes": gettext_lazy("bytes over the network a month"),
}


class QuotaExceeded(AppError):
    """Names the quota, what is used of it, and who can raise it."""

    status = 403

    def __init__(self, owner: Name, name: str, used: float, allowed: float) -> None:
        option = "build-minutes" if name == "build_seconds" else name.removesuffix("_bytes").replace("_", "-")
        super().__init__(
            f"quota_{name}",
            gettext(
                "%(owner)s uses %(used)s of %(allowed)s (quota: %(quota)s). Free some, or ask an operator of this site "
                "to raise it: %(command)s"
            )
            % {
                "owner": owner.display,
                "used": words(name, used),
                "allowed": words(name, allowed),
                "quota": NAMES[name],
                "command": f"./manage.py quota {owner.display} --{option}",
            },
            detail={"quota": name, "used": used, "allowed": allowed},
        )


def allowed(owner: Name) -> Amounts:
    row = Quota.objects.filter(pk=owner.pk).first()
    defaults: dict[str, int] = settings.SLIPWAY_QUOTAS

    def amount(name: str) -> int:
        chosen = getattr(row, name) if row is not None else None
        return defaults[name] if chosen is None else chosen

    return Amounts(
        deployments=amount("deployments"),
        awake_instances=amount("awake_instances"),
        memory_bytes=amount("memory_bytes"),
        build_seconds=amount("build_minutes") * 60.0,
        store_bytes=amount("store_bytes"),
        egress_bytes=amount("egress_bytes"),
    )


def used(owner: Name) -> Amounts:
    month = _month(owner).aggregate(seconds=Sum("build_seconds"), octets=Sum("egress_bytes"))
    awake, memory = awake_of(Instance.objects.filter(deployment__owner=owner))
    return Amounts(
        deployments=_deployments(owner).count(),
        awake_instances=awake,
        memory_bytes=memory,
        build_seconds=month["seconds"] or 0.0,
        store_bytes=store_bytes_of(owner),
        egress_bytes=month["octets"] or 0,
    )


@dataclass(frozen=True)
class Account:
    """One owner's use and right of use."""

    owner: Name
    used: Amounts
    allowed: Amounts


def account_of(actor: Actor, owner: str) -> Account:
    """For those who may own as that name. Raises NotFound."""
    name = name_find(owner)
    if name is None or not may_own_as(actor, name):
        raise NotFound("account_unknown", gettext("There is no such account, or it isn't yours to host for."))
    return Account(name, used(name), allowed(name))


def words(name: str, amount: float) -> str:
    if name.endswith("_bytes"):
        return sizes.gibibytes(amount) if amount >= sizes.GIB else sizes.mebibytes(amount)
    if name == "build_seconds":
        return gettext("%(minutes)s minutes") % {"minutes": sizes.number(amount / 60, 1)}
    return f"{amount:g}"


# --- where the work starts


def owner_lock(owner: Name) -> None:
    """Two checks of one owner come one after the other until the transaction ends."""
    Name.objects.select_for_update().get(pk=owner.pk)


def check_deployments(owner: Name) -> None:
    """Within the transaction that makes one more. Raises QuotaExceeded."""
    owner_lock(owner)
    count, most = _deployments(owner).count(), allowed(owner).deployments
    if count >= most:
        raise QuotaExceeded(owner, name="deployments", used=count, allowed=most)


def check_upload(owner: Name) -> None:
    """Within the transaction that has written an upload down. Raises QuotaExceeded, which takes it back."""
    owner_lock(owner)
    now, most = store_bytes_of(owner), allowed(owner).store_bytes
    if now > most:
        raise QuotaExceeded(owner, name="store_bytes", used=now, allowed=most)


def build_begin(owner: Name) -> None:
    """Before a build, within a transaction: takes a minute on account. Raises QuotaExceeded."""
    owner_lock(owner)
    now, most = used(owner), allowed(owner)
    for name in ("build_seconds", "store_bytes"):
        amount, limit = getattr(now, name), getattr(most, name)
        if amount >= limit:
            raise QuotaExceeded(owner, name, amount, limit)
    _build_seconds_add(owner, RESERVED_SECONDS)


def build_end(owner: Name, seconds: float) -> None:
    """After it, however it ended."""
    _build_seconds_add(owner, seconds - RESERVED_SECONDS)


def _build_seconds_add(owner: Name, seconds: float) -> None:
    day, _ = UsageDay.objects.get_or_create(owner=owner, day=clock.now().date())
    UsageDay.objects.filter(pk=day.pk).update(build_seconds=F("build_seconds") + seconds)


def is_egress_spent(owner: Name) -> bool:
    octets = _month(owner).aggregate(octets=Sum("egress_bytes"))["octets"] or 0
    return bool(octets >= allowed(owner).egress_bytes)


def _deployments(owner: Name) -> QuerySet[Deployment]:
    return Deployment.objects.filter(owner=owner).exclude(state=State.DELETING)


def _month(owner: Name) -> QuerySet[UsageDay]:
    return UsageDay.objects.filter(owner=owner, day__gte=month_began())


def month_began() -> date:
    return clock.now().date().replace(day=1)


def awake_of(instances: QuerySet[Instance]) -> tuple[int, int]:
    """How many, and the memory that they may use: what is promised counts, not what is touched at this moment."""
    found = instances.filter(state__in=AWAKE).values_list("deployment__kind", "deployment__limits")
    memory = [memory_of(kind, column) for kind, column in found]
    return len(memory), sum(memory)


def memory_of(kind: str, column: Mapping[str, Any]) -> int:
    """Of one instance. A remote server uses none of ours."""
    return 0 if kind == "remote" else limits.limits_of(column).memory_bytes


assert {one.name for one in fields(Amounts)} == set(NAMES)
