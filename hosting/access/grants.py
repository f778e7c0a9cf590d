"""The four things on a site that not every account may do, and the operator's say in each.

Members may what the setting SLIPWAY_MEMBERS_MAY names; publishers and moderators host, whatever that says. Whom the
operator grants more has it as a Django permission; operators at a shell and superusers may everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.contrib.auth.models import Permission as Row
from django.db import transaction
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from accounts.permissions import INVITING
from common.errors import BadInput, Conflict, Forbidden
from events.actors import Actor
from events.audit import record
from hosting.models import Deployment

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class SitePermission:
    """`name` is for the setting and the commands, `codename` Django's, `words` complete "may"."""

    name: str
    codename: str
    words: StrOrPromise  # as they stand in “This account may not …”


PACKAGES: Final = SitePermission("packages", "host_packages", gettext_lazy("host packages"))
SOURCE: Final = SitePermission("source", "upload_source", gettext_lazy("upload source"))
REMOTES: Final = SitePermission("remotes", "add_remotes", gettext_lazy("add remote servers"))
ANONYMOUS: Final = SitePermission(
    "anonymous", "allow_anonymous", gettext_lazy("let anybody call a server without an account")
)

ALL: Final = {one.name: one for one in (PACKAGES, SOURCE, REMOTES, ANONYMOUS)}


def may(actor: Actor, permission: SitePermission) -> bool:
    if actor.is_trusted:
        return True
    user = User.objects.filter(pk=actor.user_id, is_active=True).first() if actor.user_id is not None else None
    if user is None:
        return False
    if permission.name in settings.SLIPWAY_MEMBERS_MAY or (user.site_role in INVITING and permission != ANONYMOUS):
        return True
    return user.has_perm(f"hosting.{permission.codename}")


def check(actor: Actor, permission: SitePermission) -> None:
    """Raises Forbidden, which names the permission and who can grant it."""
    if may(actor, permission):
        return
    user = User.objects.filter(pk=actor.user_id).first() if actor.user_id is not None else None
    name = user.username if user is not None else "NAME"
    raise Forbidden(
        f"may_not_{permission.codename}",
        gettext(
            "This account may not %(words)s. An operator of this site can grant it: ./manage.py grant %(name)s "
            "%(permission)s"
        )
        % {"words": permission.words, "name": name, "permission": permission.name},
    )


def permission_named(name: str) -> SitePermission:
    found = ALL.get(name)
    if found is None:
        raise BadInput(
            "permission_unknown",
            gettext("There is no permission %(name)s. There are %(names)s.") % {"name": name, "names": ", ".join(ALL)},
        )
    return found


def permissions_of(user: User) -> list[SitePermission]:
    """What the user may, for whichever reason."""
    actor = Actor("user", user.pk)
    return [permission for permission in ALL.values() if may(actor, permission)]


def permission_grant(*, actor: Actor, user: User, permission: SitePermission) -> bool:
    """False when the user had the grant before. Only operators grant."""
    _check_operator(actor)
    with transaction.atomic():
        row = _row(permission)
        if user.user_permissions.filter(pk=row.pk).exists():
            return False
        user.user_permissions.add(row)
        record(actor, "permission:grant", "user", user.pk, permission=permission.name)
    return True


def permission_revoke(*, actor: Actor, user: User, permission: SitePermission) -> bool:
    """False when there was no grant to take back. What every member may can't be taken from one of them: Conflict."""
    _check_operator(actor)
    if permission.name in settings.SLIPWAY_MEMBERS_MAY:
        raise Conflict(
            "permission_of_all",
            gettext("Every account of this site may %(words)s: see SLIPWAY_MEMBERS_MAY.") % {"words": permission.words},
        )
    with transaction.atomic():
        row = _row(permission)
        if not user.user_permissions.filter(pk=row.pk).exists():
            return False
        user.user_permissions.remove(row)
        record(actor, "permission:revoke", "user", user.pk, permission=permission.name)
    return True


def _row(permission: SitePermission) -> Row:
    return Row.objects.get(
        codename=permission.codename,
        content_type__app_label=Deployment._meta.app_label,
        content_type__model=Deployment._meta.model_name,
    )


def _check_operator(actor: Actor) -> None:
    superusers = User.objects.filter(is_active=True, is_superuser=True)
    is_superuser = actor.user_id is not None and superusers.filter(pk=actor.user_id).exists()
    if not actor.is_trusted and not is_superuser:
        raise Forbidden("operators_only", gettext("Only an operator of this site can do this."))
