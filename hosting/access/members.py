"""Who may see and call a deployment: everybody, or its owner's people and the members that were named."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from common import clock
from common.errors import BadInput
from events.actors import Actor
from events.audit import record
from events.publish import publish_on_commit
from events.types import DeploymentChanged
from hosting.access.permissions import check_may_manage
from hosting.models import Deployment, DeploymentMember


def deployment_access_set(*, actor: Actor, deployment: Deployment, access: str) -> None:
    check_may_manage(actor, deployment)
    access_check(access)
    with transaction.atomic():
        changed = Deployment.objects.filter(pk=deployment.pk).exclude(access=access)
        if changed.update(access=access, changed_at=clock.now()):
            record(actor, "deployment:set_access", "deployment", deployment.pk, access=access)
            publish_on_commit(DeploymentChanged(str(deployment.pk)))


def member_add(*, actor: Actor, deployment: Deployment, user: User) -> None:
    """Lets a person call and see a private deployment. Repeatable."""
    check_may_manage(actor, deployment)
    with transaction.atomic():
        _, is_new = DeploymentMember.objects.get_or_create(deployment=deployment, user=user)
        if is_new:
            record(actor, "deployment:add_member", "deployment", deployment.pk, user=str(user.pk))
            publish_on_commit(DeploymentChanged(str(deployment.pk)))


def member_remove(*, actor: Actor, deployment: Deployment, user: User) -> None:
    check_may_manage(actor, deployment)
    with transaction.atomic():
        removed, _ = DeploymentMember.objects.filter(deployment=deployment, user=user).delete()
        if removed:
            record(actor, "deployment:remove_member", "deployment", deployment.pk, user=str(user.pk))
            publish_on_commit(DeploymentChanged(str(deployment.pk)))


def access_check(access: str) -> None:
    if access not in Deployment.Access.values:
        raise BadInput("access_unknown", gettext("Access is either private or public."), field="access")
