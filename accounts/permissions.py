"""Who may do what with accounts: one function each, asked by services and selectors of every layer above."""

from __future__ import annotations

from uuid import UUID

from accounts.models import Membership, Name
from events.actors import Actor


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
    return Membership.objects.filter(organization__name=name, user_id=actor.user_id).exists()


def member_ids(name: Name) -> frozenset[UUID]:
    """The users who own what belongs to this name: the user, or all members of the organization."""
    if name.user_id is not None:
        return frozenset({name.user_id})
    if name.organization_id is not None:
        found = Membership.objects.filter(organization_id=name.organization_id, user__is_active=True)
        return frozenset(found.values_list("user_id", flat=True))
    return frozenset()
