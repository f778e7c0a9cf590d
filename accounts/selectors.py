"""Reading accounts."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext

from accounts import names
from accounts.models import Membership, Name, Organization, User
from accounts.permissions import MANAGING
from common.errors import NotFound


def name_find(text: str) -> Name | None:
    """The held name that is written so, in whatever case."""
    return Name.objects.select_related("user", "organization").filter(folded=names.fold(text), released_at=None).first()


def name_get(text: str) -> Name:
    name = name_find(text)
    if name is None:
        raise NotFound("account_unknown", gettext("There is no account named “%(text)s”.") % {"text": text})
    return name


def user_get(text: str) -> User:
    """The user of that name. An organization's name is not a user's."""
    name = name_find(text)
    if name is None or name.user is None:
        raise NotFound("user_unknown", gettext("There is no user named “%(text)s”.") % {"text": text})
    return name.user


def names_owned_by(user: User) -> QuerySet[Name]:
    """The names under which a user may host: the user's own first, then organizations."""
    managed = Membership.objects.filter(user=user, role__in=MANAGING).values("organization_id")
    return Name.objects.filter(Q(user=user) | Q(organization_id__in=managed), released_at=None).order_by(
        F("organization_id").asc(nulls_first=True), "folded"
    )


def organization_get(text: str) -> Organization:
    """The organization of that name. Raises NotFound."""
    name = name_find(text)
    if name is None or name.organization is None:
        raise NotFound("organization_unknown", gettext("There is no organization named “%(text)s”.") % {"text": text})
    return name.organization


def memberships_of(user: User) -> QuerySet[Membership]:
    """Of organizations that still have their name."""
    found = Membership.objects.filter(user=user, organization__name__isnull=False)
    return found.select_related("organization__name").order_by("organization__name__folded")


def members_of(organization: Organization) -> QuerySet[Membership]:
    """People first, then accounts of programs."""
    return organization.memberships.select_related("user").order_by(
        F("user__service_of").asc(nulls_first=True), "user__username"
    )
