"""What was done in an organization, and by its people to what is theirs: read from the audit, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import Organization, User
from events.models import AuditEntry


@dataclass(frozen=True)
class AuditRow:
    at: datetime
    who: str
    action: str
    subject: str
    details: list[tuple[str, str]]


def audit_of(organization: Organization, *, before: str = "", limit: int) -> tuple[list[AuditRow], str]:
    """The rows, and the cursor of older ones, "" where there are none. An unreadable cursor starts at the newest."""
    name = organization.name
    deployments = [str(pk) for pk in name.deployments.values_list("pk", flat=True)]
    subjects = (
        Q(subject_type="organization", subject_id=str(organization.pk))
        | Q(subject_type="deployment", subject_id__in=deployments)
        | Q(data__organization=str(organization.pk))
    )
    found = AuditEntry.objects.filter(subjects)
    if (cursor := _id(before)) is not None:
        found = found.filter(pk__lt=cursor)  # ids grow with time
    entries = list(found.order_by("-pk")[: limit + 1])
    people = _names(entries[:limit])
    rows = [_row(entry, people) for entry in entries[:limit]]
    return rows, str(entries[limit - 1].pk) if len(entries) > limit else ""


def _row(entry: AuditEntry, people: dict[str, str]) -> AuditRow:
    who = people.get(entry.actor.removeprefix("user:"), entry.actor)
    said = [(name, value) for name, value in sorted(entry.data.items()) if value not in ("", [], None)]
    details = [(name, _text(value, people)) for name, value in said]
    return AuditRow(entry.at, who, entry.action, f"{entry.subject_type} {entry.subject_id}", details)


def _text(value: Any, people: dict[str, str]) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item, people) for item in value)
    return people.get(str(value), str(value))


def _names(entries: list[AuditEntry]) -> dict[str, str]:
    """Of everybody whom the rows speak of, by id; of who is gone the id stays."""
    said = {entry.actor.removeprefix("user:") for entry in entries}
    said |= {str(entry.data.get("user", "")) for entry in entries}
    ids = [found for text in said if (found := _id(text)) is not None]
    return {str(pk): name for pk, name in User.objects.filter(pk__in=ids).values_list("pk", "username")}


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
