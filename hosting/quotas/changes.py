"""What follows when a quota changes, or is used up: runners are told with the next placement."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext

from accounts.models import Name, User
from common.errors import BadInput, Forbidden
from events.actors import SYSTEM, Actor
from events.audit import record
from events.publish import publish_on_commit
from events.types import DeploymentChanged
from hosting.fleet.placing import placement_replace
from hosting.models import Deployment, Quota
from hosting.quotas import quotas

FIELDS = ("deployments", "awake_instances", "memory_bytes", "build_minutes", "store_bytes", "egress_bytes")
NO_EGRESS = (
    "This month's quota for the network is used up: instances that start now have no network. An operator of this site "
    "can raise it."
)


def quota_set(*, actor: Actor, owner: Name, **amounts: int | None) -> Quota:
    """Sets what is named; None takes the site's default. Only operators do. Raises BadInput and Forbidden."""
    superusers = User.objects.filter(is_active=True, is_superuser=True)
    if not actor.is_trusted and not (actor.user_id and superusers.filter(pk=actor.user_id).exists()):
        raise Forbidden("operators_only", gettext("Only an operator of this site sets quotas."))
    unknown = sorted(amounts.keys() - set(FIELDS))
    if unknown:
        raise BadInput(
            "quota_unknown",
            gettext("There is no quota %(unknown)s. There are %(names)s.")
            % {"unknown": unknown[0], "names": ", ".join(FIELDS)},
        )
    if any(amount is not None and amount < 0 for amount in amounts.values()):
        raise BadInput("quota_negative", gettext("A quota is 0 or more."))
    with transaction.atomic():
        quotas.owner_lock(owner)
        row, _ = Quota.objects.update_or_create(owner=owner, defaults=amounts)
        record(actor, "quota:set", "name", owner.pk, owner=owner.display, **amounts)
        for deployment in owner.deployments.filter(placement__runner__isnull=False):
            placement_replace(deployment)
    egress_enforce(owner)
    return row


def egress_enforce(owner: Name | None = None) -> None:
    """Takes the network from those whose quota is used up, and gives it back in the next month. Repeatable."""
    told = Q(current_version__notices__contains=[NO_EGRESS])
    used_any = Q(owner__usage__day__gte=quotas.month_began(), owner__usage__egress_bytes__gt=0)
    none_allowed = Q(owner__quota__egress_bytes=0)
    found = Deployment.objects.filter(told | used_any | none_allowed).exclude(egress=Deployment.Egress.NONE)
    if owner is not None:
        found = found.filter(owner=owner)
    spent: dict[object, bool] = {}
    for deployment in found.select_related("owner", "current_version").distinct():
        if deployment.owner_id not in spent:
            spent[deployment.owner_id] = quotas.is_egress_spent(deployment.owner)
        _egress_tell(deployment, spent[deployment.owner_id])


def _egress_tell(deployment: Deployment, is_spent: bool) -> None:
    version = deployment.current_version
    if version is None or (NO_EGRESS in version.notices) == is_spent:
        return
    others = [words for words in version.notices if words != NO_EGRESS]
    with transaction.atomic():
        type(version).objects.filter(pk=version.pk).update(notices=[*others, NO_EGRESS] if is_spent else others)
        placement_replace(deployment)
        action = "quota:no_egress" if is_spent else "quota:egress_again"
        record(SYSTEM, action, "deployment", deployment.pk, owner=deployment.owner.display)
        publish_on_commit(DeploymentChanged(str(deployment.pk)))
