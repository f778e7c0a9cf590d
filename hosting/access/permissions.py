"""Who may see, call and manage a deployment: one function each."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from accounts.models import Membership, Name
from accounts.permissions import CALLING, may_look_at, may_own_as, member_ids
from common.errors import NotFound
from events.actors import Actor
from hosting.access import grants
from hosting.models import Deployment, DeploymentMember
from hosting.states import State


def may_manage(actor: Actor, deployment: Deployment) -> bool:
    """Start, stop, delete, see output and build logs."""
    return may_own_as(actor, deployment.owner)


def may_see(actor: Actor, deployment: Deployment) -> bool:
    """See the page: owners, the organization's viewers, named members, and everybody signed in when it is public."""
    if deployment.state == State.DELETING:
        return False
    if actor.is_trusted:
        return True
    if actor.user_id is None:
        return False
    if deployment.access == Deployment.Access.PUBLIC:
        return True
    return is_member(actor.user_id, deployment) or may_look_at(actor.user_id, deployment.owner)


def may_call(actor: Actor, deployment: Deployment) -> bool:
    """Seeing is not enough: viewers of an organization may not."""
    is_let_in = deployment.access == Deployment.Access.PUBLIC or actor.is_trusted
    return may_see(actor, deployment) and (
        is_let_in or (actor.user_id is not None and is_member(actor.user_id, deployment))
    )


def is_member(user_id: UUID, deployment: Deployment) -> bool:
    """May call it while it is private."""
    if user_id in member_ids(deployment.owner):
        return True
    return DeploymentMember.objects.filter(deployment=deployment, user_id=user_id).exists()


def callable_by(user_id: UUID) -> QuerySet[Deployment]:
    """`may_call` as a condition: all that the user may call."""
    organizations = Membership.objects.filter(user_id=user_id, user__is_active=True, role__in=CALLING)
    named = DeploymentMember.objects.filter(user_id=user_id)
    return Deployment.objects.filter(
        Q(access=Deployment.Access.PUBLIC)
        | Q(owner__user_id=user_id)
        | Q(owner__organization_id__in=organizations.values("organization_id"))
        | Q(pk__in=named.values("deployment_id"))
    ).exclude(state=State.DELETING)


def check_may_manage(actor: Actor, deployment: Deployment) -> None:
    """Raises NotFound, the same as for one that doesn't exist: a private deployment's existence is private."""
    if not may_manage(actor, deployment):
        raise unknown()


def check_may_upload(actor: Actor, owner: Name) -> None:
    """Raises Forbidden when the actor may not upload source, for whomever."""
    grants.check(actor, grants.SOURCE)


def check_may_host_package(actor: Actor, owner: Name) -> None:
    """Raises Forbidden. PyPI, npm, and what the registry names of them."""
    grants.check(actor, grants.PACKAGES)


def check_may_add_remote(actor: Actor, owner: Name) -> None:
    """Raises Forbidden."""
    grants.check(actor, grants.REMOTES)


def check_may_allow_anonymous(actor: Actor, owner: Name) -> None:
    """Raises Forbidden. Nobody has this by the site's defaults: it is the operator's to grant."""
    grants.check(actor, grants.ANONYMOUS)


def check_may_host(actor: Actor, owner: Name, kind: str) -> None:
    """Raises Forbidden when the actor may not host what a reference of this kind names."""
    checks = {"source": check_may_upload, "remote": check_may_add_remote}
    checks.get(kind, check_may_host_package)(actor, owner)


def unknown() -> NotFound:
    return NotFound("deployment_unknown", gettext("There is no such server, or it isn't yours."))
