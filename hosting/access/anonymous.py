"""Deployments that anybody may call without an account.

It takes a permission of its own from the operator. A deployment's secrets are used for anonymous callers only after its
owner has confirmed just that; a secret that is set later without it ends anonymous access.
"""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext

from accounts.models import User
from accounts.permissions import may_own_as, member_ids
from common import clock
from common.errors import Conflict
from events.actors import Actor, person
from events.audit import record
from events.publish import publish_on_commit
from events.types import DeploymentChanged
from hosting.access import grants
from hosting.access.permissions import check_may_allow_anonymous, check_may_manage
from hosting.models import Deployment
from hosting.services import deployment_locked
from hosting.states import State
from oauth.outbound.connections import connection_of
from vault.services import Holder

ENDED_BY_SECRETS = (
    "Anonymous access was switched off because a secret was set: callers without an account would have used it. "
    "Switch it on again and confirm that they may."
)


_ANONYMOUS = """
    SELECT owner.folded, deployment.folded_name
    FROM hosting_deployment AS deployment JOIN accounts_name AS owner ON owner.id = deployment.owner_id
    WHERE deployment.is_anonymous AND deployment.state <> %s
"""


def anonymous_set(*, actor: Actor, deployment: Deployment, is_on: bool, shares_credentials: bool = False) -> None:
    """On or off. `shares_credentials`: the owner was told that anybody will use the deployment's secrets, and agreed.

    Raises Forbidden, and Conflict (credentials_unconfirmed) where there are secrets and nobody agreed. Repeatable.
    """
    check_may_manage(actor, deployment)
    if is_on:
        check_may_allow_anonymous(actor, deployment.owner)
    shares = is_on and shares_credentials
    with transaction.atomic():
        locked = deployment_locked(deployment)
        if is_on and not shares and (has_secrets(locked.pk) or connection_of(locked.pk) is not None):
            raise Conflict(
                "credentials_unconfirmed",
                gettext(
                    "%(label)s has secrets in its settings or an account elsewhere, and every anonymous caller "
                    "would use them. Confirm that they may, or remove them first."
                )
                % {"label": locked.label},
            )
        changed = Deployment.objects.filter(pk=locked.pk).exclude(is_anonymous=is_on, shares_credentials=shares)
        if changed.update(is_anonymous=is_on, shares_credentials=shares, changed_at=clock.now()):
            record(actor, "deployment:set_anonymous", "deployment", locked.pk, is_on=is_on, shares_credentials=shares)
            publish_on_commit(DeploymentChanged(str(locked.pk)))


def anonymous_end_for_secrets(*, actor: Actor, deployment: Deployment) -> bool:
    """Called in the transaction that set a secret. True when anonymous access ended; the version's notices say it."""
    ended = Deployment.objects.filter(pk=deployment.pk, is_anonymous=True, shares_credentials=False)
    if connection_of(deployment.pk) is None and not has_secrets(deployment.pk):
        return False
    if not ended.update(is_anonymous=False, changed_at=clock.now()):
        return False
    version = deployment.current_version
    if version is not None and ENDED_BY_SECRETS not in version.notices:
        version.notices = [*version.notices, ENDED_BY_SECRETS]
        version.save(update_fields=["notices"])
    record(actor, "deployment:set_anonymous", "deployment", deployment.pk, is_on=False, reason="a secret was set")
    return True


def has_secrets(deployment_id: UUID) -> bool:
    """Of its owner, which every caller uses."""
    return Holder.deployment(deployment_id).secrets.exists()


def anonymous_end_for_owner(*, actor: Actor, user: User) -> list[str]:
    """The user's permission is gone, and so is what it allowed: deployments of the user's own, and those of
    organizations where nobody else has it who may manage them. Gives their labels."""
    theirs = Q(owner__user=user) | Q(owner__organization__memberships__user=user)
    ended = []
    for deployment in Deployment.objects.select_related("owner").filter(theirs, is_anonymous=True).distinct():
        managers = [person(pk) for pk in member_ids(deployment.owner)]
        if any(may_own_as(one, deployment.owner) and grants.may(one, grants.ANONYMOUS) for one in managers):
            continue
        anonymous_set(actor=actor, deployment=deployment, is_on=False)
        ended.append(deployment.label)
    return ended


def anonymous_keys() -> frozenset[tuple[str, str]]:
    """(owner, name) of all that anybody may call, folded."""
    with connection.cursor() as cursor:  # each web process asks twice a second: a QuerySet costs ten times as much
        cursor.execute(_ANONYMOUS, [State.DELETING])
        return frozenset(cursor.fetchall())
