"""Reading accounts."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet

from accounts import names
from accounts.models import Name, User
from common.errors import NotFound


def name_find(text: str) -> Name | None:
    """The held name that is written so, in whatever case."""
    return Name.objects.select_related("user", "organization").filter(folded=names.fold(text), released_at=None).first()


def name_get(text: str) -> Name:
    name = name_find(text)
    if name is None:
        raise NotFound("account_unknown", f"There is no account named “{text}”.")
    return name


def user_get(text: str) -> User:
    """The user of that name. An organization's name is not a user's."""
    name = name_find(text)
    if name is None or name.user is None:
        raise NotFound("user_unknown", f"There is no user named “{text}”.")
    return name.user


def names_owned_by(user: User) -> QuerySet[Name]:
    """The names under which a user may host: the user's own first, then organizations."""
    return Name.objects.filter(Q(user=user) | Q(organization__memberships__user=user), released_at=None).order_by(
        F("organization_id").asc(nulls_first=True), "folded"
    )
