"""What operators decide about accounts: their role on the site, and whether they are switched on."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from accounts.permissions import is_operator
from common.errors import BadInput, Conflict, Forbidden
from events.actors import Actor
from events.audit import record

OPERATOR_ROLE = "operator"
ROLES = {OPERATOR_ROLE: gettext_lazy("Operator"), **dict(User.SiteRole.choices)}  # with how pages call them


def role_of(user: User) -> str:
    return OPERATOR_ROLE if user.is_superuser else user.site_role


def site_role_set(*, actor: Actor, user: User, role: str) -> None:
    """Raises Forbidden, BadInput, Conflict: an operator can't unmake themselves, so one always stays."""
    _check(actor)
    if role not in ROLES:
        raise BadInput(
            "role_unknown",
            gettext("There is no role %(role)s. There are %(names)s.") % {"role": role, "names": ", ".join(ROLES)},
            field="role",
        )
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        before = role_of(locked)
        if before == role:
            return
        if locked.service_of_id is not None:
            raise Conflict("service_account", gettext("An account of a program has its role in its organization."))
        if before == OPERATOR_ROLE and actor.user_id == user.pk:
            raise Conflict("yourself", gettext("Another operator has to do this."))
        is_operator_now = role == OPERATOR_ROLE
        User.objects.filter(pk=user.pk).update(
            is_superuser=is_operator_now,
            is_staff=is_operator_now,
            site_role=locked.site_role if is_operator_now else role,
        )
        record(actor, "user:site_role", "user", user.pk, before=before, after=role)


def user_switch(*, actor: Actor, user: User, is_on: bool) -> None:
    """Off: signed out everywhere, its tokens refused within a second, its open tasks cancelled. Repeatable."""
    _check(actor)
    if actor.user_id == user.pk and not is_on:
        raise Conflict("yourself", gettext("Another operator has to do this."))
    with transaction.atomic():
        if User.objects.filter(pk=user.pk, is_active=not is_on).update(is_active=is_on):
            record(actor, "user:switch_on" if is_on else "user:switch_off", "user", user.pk, name=user.username)


def _check(actor: Actor) -> None:
    if not is_operator(actor):
        raise Forbidden("operators_only", gettext("Only an operator of this site can do this."))
