"""Writing the audit row: called by services inside the transaction that makes the change."""

from __future__ import annotations

from typing import Any

import structlog

from events.actors import Actor
from events.models import AuditEntry


def record(actor: Actor, action: str, subject_type: str, subject_id: object, **data: Any) -> AuditEntry:
    """`action` is "subject:verb". `data` is JSON without secrets: ids, names, before and after."""
    return AuditEntry.objects.create(
        actor=str(actor),
        action=action,
        subject_type=subject_type,
        subject_id=str(subject_id),
        data=data,
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", ""))[:100],
    )
