"""How often secrets were used, and when: read from the audit, where `secrets_use` writes a row for each start."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from events.models import AuditEntry

ACTION: Final = "secret:use"


@dataclass(frozen=True)
class Use:
    """An instance of `user_id` ("" for nobody's) was started with it; `id` is the cursor of what came before."""

    id: UUID
    at: datetime
    user_id: str


def uses_counted(deployment_ids: Collection[UUID], *, user_id: UUID | None = None) -> dict[tuple[UUID, str, str], int]:
    """By (deployment, name, scope): of one user's instances, or of everybody's."""
    if not deployment_ids:
        return {}
    whose = "" if user_id is None else "AND data->>'user' = %s"
    parameters: list[Any] = [ACTION, [str(pk) for pk in deployment_ids], *([str(user_id)] if user_id else [])]
    table = AuditEntry._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT subject_id, used.name, used.scope, count(*) FROM {table},"
            " jsonb_each_text(data->'secrets') AS used(name, scope)"
            f" WHERE action = %s AND subject_type = 'deployment' AND subject_id = ANY(%s) {whose} GROUP BY 1, 2, 3",
            parameters,
        )
        return {(UUID(subject), name, scope): count for subject, name, scope, count in cursor.fetchall()}


def uses_of(
    deployment_id: UUID,
    name: str,
    *,
    scope: str = "",
    user_id: UUID | None = None,
    before: UUID | None = None,
    limit: int,
) -> list[Use]:
    """Newest first, those after `before` in that order; of one user's instances, or of everybody's."""
    rows = AuditEntry.objects.filter(action=ACTION, subject_type="deployment", subject_id=str(deployment_id))
    wanted: dict[str, Any] = {"secrets": {name: scope}} if scope else {}
    if user_id is not None:
        wanted["user"] = str(user_id)
    rows = rows.filter(data__contains=wanted, data__secrets__has_key=name)
    if before is not None:
        rows = rows.filter(pk__lt=before)  # ids grow with time
    found = rows.order_by("-pk").values_list("pk", "at", "data")[:limit]
    return [Use(pk, at, str(data.get("user", ""))) for pk, at, data in found]
