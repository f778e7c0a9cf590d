"""Who may do what with accounts: one function each, asked by services and selectors of every layer above."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.utils.translation import gettext

from accounts.models import Membership, Name, Organization, User
from common.errors import Forbidden, NotFound
from events.actors import Actor

Role = Membership.Role
SiteRole = User.SiteRole
ADMINISTERING: Final = (Role.OWNER, Role.ADMINISTRATOR)  # members, policies, service accounts, the audit
MANAGING: Final = (*ADMINISTERING, Role.PUBLISHER)  # what the organization hosts and publishes
CALLING: Final = (*MANAGING, Role.MEMBER)  # its private servers; viewers see their pages only
INVITING: Final = (SiteRole.MODERATOR, SiteRole.PUBLISHER)  # may bring new accounts, and make organizations


def may_own_as(actor: Actor, name: Name) -> bool:
    """May create, change and delete what belongs to this name."""
    if name.released_at is not None:
        return False
    if actor.is_trusted:
        return True
    if actor.user_id is None:
        return False
    if name.user_id is not None:
        return name.user_id == actor.user_id
    return Membership.objects.filter(organization__name=name, user_id=actor.user_id, role__in=MANAGING).exists()


def may_look_at(user_id: UUID, name: Name) -> bool:
    """May see the pages of what belongs to this name: everybody in the organization, viewers too."""
    if name.user_id is not None:
        return name.user_id == user_id
    return Membership.objects.filter(organization__name=name, user_id=user_id).exists()


def role_in(actor: Actor, organization: Organization) -> str:
    """The actor's role, "" for none. Operators at a shell act as owners do; superusers only where they are members."""
    if actor.is_trusted:
        return Role.OWNER
    if actor.user_id is None:
        return ""
    found = Membership.objects.filter(organization=organization, user_id=actor.user_id, user__is_active=True).first()
    return found.role if found is not None else ""


def roles_of(user_id: UUID) -> dict[UUID, str]:
    """The user's role in each organization, by its id; none of an account that is switched off."""
    found = Membership.objects.filter(user_id=user_id, user__is_active=True)
    return dict(found.values_list("organization_id", "role"))


def may_administer(actor: Actor, organization: Organization) -> bool:
    return role_in(actor, organization) in ADMINISTERING


def check_may_administer(actor: Actor, organization: Organization) -> str:
    """The actor's role. Raises NotFound for strangers, Forbidden for members whose role is not enough."""
    role = role_in(actor, organization)
    if not role:
        raise NotFound("organization_unknown", gettext("There is no such organization, or you are not in it."))
    if role not in ADMINISTERING:
        raise Forbidden(
            "administrators_only", gettext("Only owners and administrators of the organization can do this.")
        )
    return role


def is_operator(actor: Actor) -> bool:
    """At a shell, or an account that is an operator of the site."""
    if actor.is_trusted or actor.user_id is None:
        return actor.is_trusted
    return User.objects.filter(pk=actor.user_id, is_active=True, is_superuser=True).exists()


def may_invite(actor: Actor) -> bool:
    """May bring new accounts to the site, and make organizations."""
    if actor.user_id is None:
        return actor.is_trusted
    if is_operator(actor):
        return True
    return User.objects.filter(pk=actor.user_id, is_active=True, site_role__in=INVITING).exists()


def member_ids(name: Name) -> frozenset[UUID]:
    """The users who may call what belongs to this name: the user, or the organization's members but viewers."""
    if name.user_id is not None:
        return frozenset({name.user_id})
    if name.organization_id is not None:
        found = Membership.objects.filter(organization_id=name.organization_id, user__is_active=True, role__in=CALLING)
        return frozenset(found.values_list("user_id", flat=True))
    return frozenset()


def is_among(user_id: UUID, name: Name, roles: Mapping[UUID, str]) -> bool:
    """Whether the user is one of `member_ids`, without a query: `roles` are `roles_of` the user."""
    if name.user_id is not None:
        return name.user_id == user_id
    return name.organization_id is not None and roles.get(name.organization_id, "") in CALLING
