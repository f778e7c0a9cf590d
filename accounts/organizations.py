"""Who is in an organization, and as what. Every change holds within a second, in every process: nothing is cached
longer."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils.translation import gettext

from accounts import names
from accounts.models import Membership, Name, Organization, User
from accounts.permissions import check_may_administer, may_invite, role_in
from accounts.services import organization_create, user_create
from common.errors import BadInput, Conflict, Forbidden, NotFound
from events.actors import Actor
from events.audit import record

Role = Membership.Role
MOST_OWNED: Final = 20  # by one person
MOST_SERVICES: Final = 50  # of one organization
SERVICE_ROLES: Final = (Role.PUBLISHER, Role.MEMBER, Role.VIEWER)


def organization_found(*, actor: Actor, founder: User, name: str, title: str = "") -> Organization:
    """A person's own doing, whose quotas then count anew: so not everybody may. Raises Forbidden, Conflict."""
    if not may_invite(actor):
        raise Forbidden(
            "may_not_found",
            gettext(
                "Organizations are made by publishers, moderators and operators of this site. Ask an operator: "
                "./manage.py site_role %(username)s publisher"
            )
            % {"username": founder.username},
        )
    if Membership.objects.filter(user=founder, role=Role.OWNER).count() >= MOST_OWNED:
        raise Conflict(
            "organizations_too_many",
            gettext("You own %(most_owned)s organizations already.") % {"most_owned": MOST_OWNED},
        )
    return organization_create(actor=actor, name=name, owner=founder, title=title)


def organization_retitle(*, actor: Actor, organization: Organization, title: str) -> None:
    check_may_administer(actor, organization)
    if not title.strip():
        raise BadInput("title_missing", gettext("Say how it is called."), field="title")
    with transaction.atomic():
        before = Organization.objects.select_for_update().get(pk=organization.pk).title
        Organization.objects.filter(pk=organization.pk).update(title=title.strip()[:100])
        record(actor, "organization:retitle", "organization", organization.pk, before=before, after=title.strip()[:100])


def role_set(*, actor: Actor, organization: Organization, user: User, role: str) -> None:
    """Owners are made and unmade by owners; one always stays. Raises NotFound, Forbidden, Conflict, BadInput."""
    with transaction.atomic():
        locked, mine = _locked(actor, organization, user)
        if role not in Role.values or (user.service_of_id is not None and role not in SERVICE_ROLES):
            raise BadInput("role_unknown", gettext("Choose one of the roles."), field="role")
        if Role.OWNER in (role, locked.role) and mine != Role.OWNER:
            raise Forbidden("owners_only", gettext("Only an owner of the organization can do this."))
        if locked.role == Role.OWNER and role != Role.OWNER:
            _check_other_owner(organization, user)
        if locked.role != role:
            Membership.objects.filter(pk=locked.pk).update(role=role)
            record(
                actor,
                "membership:role",
                "organization",
                organization.pk,
                user=str(user.pk),
                before=locked.role,
                after=role,
            )


def member_remove(*, actor: Actor, organization: Organization, user: User) -> None:
    """By an administrator, or by oneself. A service account goes by `service_account_retire`."""
    with transaction.atomic():
        locked, mine = _locked(actor, organization, user)
        if user.service_of_id is not None:
            raise Conflict("service_account", gettext("An account of a program is retired instead."))
        if locked.role == Role.OWNER:
            if mine != Role.OWNER:
                raise Forbidden("owners_only", gettext("Only an owner of the organization can do this."))
            _check_other_owner(organization, user)
        locked.delete()
        record(actor, "membership:remove", "organization", organization.pk, user=str(user.pk), before=locked.role)


def service_account_create(*, actor: Actor, organization: Organization, name: str, role: str) -> User:
    """An account for a program. Its name begins with the organization's, so that everybody sees whose it is."""
    check_may_administer(actor, organization)
    if role not in SERVICE_ROLES:
        raise BadInput(
            "role_unknown", gettext("A program publishes, calls or looks; it administers nothing."), field="role"
        )
    own = Name.objects.get(organization=organization)
    full = f"{own.display}-{name}"
    if len(full) > names.MAX_LENGTH:
        raise BadInput(
            "name_too_long",
            gettext("Together with “%(own)s-” it may have %(max_length)s characters.")
            % {"own": own.display, "max_length": names.MAX_LENGTH},
            field="name",
        )
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=organization.pk)
        if organization.service_accounts.filter(is_active=True).count() >= MOST_SERVICES:
            raise Conflict(
                "service_accounts_too_many",
                gettext("There are %(most_services)s already. Retire one first.") % {"most_services": MOST_SERVICES},
            )
        user = user_create(actor=actor, name=full)
        User.objects.filter(pk=user.pk).update(service_of=organization)
        user.service_of = organization
        Membership.objects.create(organization=organization, user=user, role=role)
        record(
            actor, "service_account:create", "organization", organization.pk, user=str(user.pk), name=full, role=role
        )
    return user


def service_account_retire(*, actor: Actor, organization: Organization, user: User) -> None:
    """Switched off for good, with everything that it can prove itself by. Its name stays taken. Repeatable."""
    check_may_administer(actor, organization)
    with transaction.atomic():
        if user.service_of_id != organization.pk:
            raise NotFound("service_account_unknown", gettext("The organization has no such account."))
        if User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
            Membership.objects.filter(user=user).delete()
            record(actor, "service_account:retire", "organization", organization.pk, user=str(user.pk))


def _locked(actor: Actor, organization: Organization, user: User) -> tuple[Membership, str]:
    """The membership, and the actor's role. All of an organization's changes wait for each other: two owners who
    remove each other at the same moment must not both succeed."""
    Organization.objects.select_for_update().get(pk=organization.pk)
    is_self = actor.user_id == user.pk
    mine = role_in(actor, organization) if is_self else check_may_administer(actor, organization)
    found = Membership.objects.filter(organization=organization, user=user).first()
    if found is None:
        raise NotFound(
            "member_unknown", gettext("%(username)s is not in this organization.") % {"username": user.username}
        )
    return found, mine


def _check_other_owner(organization: Organization, user: User) -> None:
    others = Membership.objects.filter(organization=organization, role=Role.OWNER, user__is_active=True)
    if not others.exclude(user=user).exists():
        raise Conflict("last_owner", gettext("Somebody has to own the organization. Make another one an owner first."))
