"""When a stored secret stops counting. It stays where it is, so that its user is told which one has to come again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from common import clock
from common.errors import BadInput, NotFound
from events.actors import Actor
from events.audit import record
from vault.services import Holder


def check_expiry(expires_at: datetime | None) -> None:
    """Raises BadInput for a time that is over already."""
    if expires_at is not None and expires_at <= clock.now():
        raise BadInput(
            "expiry_over", gettext("That time is over already. Name a later one, or none."), field="expires_at"
        )


def secret_expire(*, actor: Actor, holder: Holder, name: str, expires_at: datetime | None) -> None:
    """None: it counts until it is deleted. Raises NotFound and BadInput."""
    check_expiry(expires_at)
    with transaction.atomic():
        if "\0" in name or not holder.secrets.filter(name=name).update(expires_at=expires_at):
            raise secret_unknown()
        said = expires_at.isoformat() if expires_at is not None else ""
        user = str(holder.user_id) if holder.user_id is not None else ""
        data: dict[str, Any] = {"scope": str(holder.scope), "names": [name], "expires_at": said, "user": user}
        record(actor, "secret:expire", *holder.subject, **data)


def secret_unknown() -> NotFound:
    return NotFound("credential_missing", gettext("Nothing is stored under that name."))
