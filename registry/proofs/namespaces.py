"""The operator's word on namespaces: given to accounts of this site, blocked, released from who held one."""

from __future__ import annotations

import re

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import Name
from common.errors import BadInput, NotFound
from events.actors import Actor
from events.audit import record
from registry.models import BlockedNamespace, NamespaceGrant, NamespaceHolder

_NAMESPACE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,197}[A-Za-z0-9])", re.ASCII)


def namespace_grant(*, actor: Actor, namespace: str, owner: Name, with_below: bool = False) -> NamespaceGrant:
    """Repeatable. The owner's tokens for the API may publish there from the next request on."""
    _check(namespace)
    with transaction.atomic():
        found, _ = NamespaceGrant.objects.update_or_create(
            owner=owner, namespace=namespace, defaults={"with_below": with_below}
        )
        record(actor, "namespace:grant", "namespace", namespace, owner=owner.display, with_below=with_below)
    return found


def namespace_withdraw(*, actor: Actor, namespace: str, owner: Name) -> None:
    with transaction.atomic():
        gone, _ = NamespaceGrant.objects.filter(owner=owner, namespace=namespace).delete()
        if not gone:
            raise NotFound(
                "namespace_not_granted",
                gettext("%(owner)s has not been given %(namespace)s.")
                % {"owner": owner.display, "namespace": namespace},
            )
        record(actor, "namespace:withdraw", "namespace", namespace, owner=owner.display)


def namespace_block(*, actor: Actor, namespace: str, reason: str = "") -> None:
    """Counts at once, for tokens that were issued before too. What is published there stays: take it down apart."""
    _check(namespace)
    with transaction.atomic():
        BlockedNamespace.objects.update_or_create(namespace=namespace.lower(), defaults={"reason": reason[:500]})
        record(actor, "namespace:block", "namespace", namespace, reason=reason[:500])


def namespace_unblock(*, actor: Actor, namespace: str) -> None:
    with transaction.atomic():
        gone, _ = BlockedNamespace.objects.filter(namespace=namespace.lower()).delete()
        if not gone:
            raise NotFound("namespace_not_blocked", gettext("%(namespace)s is not blocked.") % {"namespace": namespace})
        record(actor, "namespace:unblock", "namespace", namespace)


def namespace_release(*, actor: Actor, namespace: str) -> None:
    """Whoever proves it next holds it: for a GitHub name whose new holder has a right to what the old one published."""
    with transaction.atomic():
        gone, _ = NamespaceHolder.objects.filter(namespace=namespace.lower()).delete()
        if not gone:
            raise NotFound(
                "namespace_not_held", gettext("No GitHub account has proven %(namespace)s.") % {"namespace": namespace}
            )
        record(actor, "namespace:release", "namespace", namespace)


def _check(namespace: str) -> None:
    if not _NAMESPACE.fullmatch(namespace):
        raise BadInput(
            "namespace_invalid",
            gettext("A namespace is written as in org.example, without slash or star."),
            field="namespace",
        )
