"""What may be shown of secrets: that they are there, since when, and when they were used. Never a value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce, Length

from common import clock
from vault.models import Secret
from vault.services import Holder


@dataclass(frozen=True)
class Stored:
    name: str
    scope: str
    version: int
    set_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    deployment_id: UUID | None
    given_to: Any = None
    id: UUID | None = None

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= clock.now()


def stored(holder: Holder) -> list[Stored]:
    return [_shown(row) for row in holder.secrets.defer("wrapped", "body")]


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


def characters(holder: Holder) -> int:
    """How much is stored, nearly: sealed values are as long as they are in UTF-8, and 29 bytes."""
    return int(holder.secrets.aggregate(total=Coalesce(Sum(Length("body")), 0))["total"])


def _shown(row: Secret) -> Stored:
    return Stored(
        row.name,
        row.scope,
        row.version,
        row.set_at,
        row.expires_at,
        row.used_at,
        row.deployment_id,
        row.given_to,
        row.pk,
    )
