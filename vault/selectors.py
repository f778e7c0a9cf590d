"""What may be shown of secrets: that they are there, since when, and when they were used. Never a value."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce, Length

from common import clock
from vault.models import Secret
from vault.services import Given, Holder


@dataclass(frozen=True)
class Stored:
    name: str
    scope: str
    version: int
    set_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    deployment_id: UUID | None

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= clock.now()


def stored(holder: Holder) -> list[Stored]:
    return [_shown(row) for row in holder.secrets.defer("wrapped", "body")]


def stored_of_user(user_id: UUID) -> list[Stored]:
    """All personal ones, by deployment."""
    rows = Secret.objects.filter(scope=Secret.Scope.PERSONAL, user_id=user_id).defer("wrapped", "body")
    return [_shown(row) for row in rows.order_by("deployment_id", "name")]


def stored_for(user_id: UUID | None, organization_ids: Collection[UUID]) -> dict[Holder, list[Stored]]:
    """All personal ones of the user, and all of these organizations, by holder and in order of names."""
    whose = Q(scope=Secret.Scope.ORGANIZATION, organization_id__in=organization_ids)
    if user_id is not None:
        whose |= Q(scope=Secret.Scope.PERSONAL, user_id=user_id)
    found: dict[Holder, list[Stored]] = {}
    for row in Secret.objects.filter(whose).defer("wrapped", "body"):
        holder = Holder(row.scope, row.user_id, row.organization_id, row.deployment_id)
        found.setdefault(holder, []).append(_shown(row))
    return found


@dataclass(frozen=True)
class Suspended:
    """One that was given to something else than what asks for it now. It stays closed until its holder confirms."""

    name: str
    holder: Holder
    version: int
    set_at: datetime
    before: Any  # what it was given to; None: nobody said
    now: Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """What the first holders have. `mark` is another one whenever a value that counts is; "" for none."""

    names: frozenset[str]
    mark: str
    suspended: tuple[Suspended, ...]


def standing(holders: Iterable[Holder], names: Collection[str], given_to: Given | None = None) -> Standing:
    """Of these names, as `secrets_use` decides: the same `given_to` says what each is to be given to now."""
    is_current = Q(expires_at=None) | Q(expires_at__gt=clock.now())
    seen: set[str] = set()
    good: list[Secret] = []
    suspended: list[Suspended] = []
    for holder in holders:
        for row in holder.secrets.filter(is_current, name__in=names).defer("wrapped", "body"):
            if row.name in seen:
                continue
            seen.add(row.name)
            now = given_to.get(row.name, {}) if given_to is not None else None
            if now is None or row.is_given_to(now):
                good.append(row)
            else:
                suspended.append(Suspended(row.name, holder, row.version, row.set_at, row.given_to, now))
    marks = "|".join(f"{row.pk}.{row.version}" for row in good)
    mark = hashlib.sha256(marks.encode()).hexdigest()[:32] if good else ""
    return Standing(frozenset(row.name for row in good), mark, tuple(suspended))


def characters(holder: Holder) -> int:
    """How much is stored, nearly: sealed values are as long as they are in UTF-8, and 29 bytes."""
    return int(holder.secrets.aggregate(total=Coalesce(Sum(Length("body")), 0))["total"])


def _shown(row: Secret) -> Stored:
    return Stored(row.name, row.scope, row.version, row.set_at, row.expires_at, row.used_at, row.deployment_id)
