"""A new key-encryption key, and everything that older ones wrapped under it. Nothing waits for it: older keys stay at
hand until no row names them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog
from django.db import transaction

from events.actors import Actor
from events.audit import record
from vault import envelope, keys
from vault.envelope import BrokenError
from vault.models import Secret
from vault.services import vault_lock

log = structlog.get_logger(__name__)
BATCH: Final = 200


def vault_key_add(*, actor: Actor) -> str:
    """The id of the new key, which is the current one. Raises Conflict."""
    with transaction.atomic():
        vault_lock(is_shared=False)
        key_id = keys.provider().add()
        record(actor, "vault_key:add", "vault_key", key_id)
    return key_id


def vault_reencrypt(*, actor: Actor) -> tuple[int, int]:
    """In batches, each a transaction: what another process does at the same time is left to it. (done, not opened)."""
    done = broken = 0
    after: UUID | None = None
    while True:
        batch_done, batch_broken, after = _batch(after)
        done, broken = done + batch_done, broken + batch_broken
        if after is None:
            break
    if done or broken:
        record(actor, "vault:reencrypt", "vault_key", keys.provider().current(), done=done, not_opened=broken)
    return done, broken


def _batch(after: UUID | None) -> tuple[int, int, UUID | None]:
    """(done, not opened, the last id that was looked at: None when there are no more)."""
    provider = keys.provider()
    broken = 0
    with transaction.atomic():
        vault_lock(is_shared=True)
        rows = Secret.objects.exclude(key_id=provider.current()).order_by("pk").select_for_update(skip_locked=True)
        if after is not None:
            rows = rows.filter(pk__gt=after)
        found = list(rows[:BATCH])
        for row in found:
            try:
                sealed = envelope.rewrap(provider, row.place, row.envelope)
            except BrokenError:
                broken += 1
                log.error("a secret can't be opened", secret=str(row.pk), key=row.key_id)
                continue
            Secret.objects.filter(pk=row.pk).update(key_id=sealed.key_id, wrapped=sealed.wrapped)
    return len(found) - broken, broken, found[-1].pk if found else None


def vault_keys_forget(*, actor: Actor) -> list[str]:
    """Drops keys that no row names any more; their ids."""
    with transaction.atomic():
        vault_lock(is_shared=False)
        used = frozenset(Secret.objects.values_list("key_id", flat=True).distinct())
        gone = keys.provider().forget(used)
        if gone:
            record(actor, "vault_key:forget", "vault_key", keys.provider().current(), forgotten=gone)
    return gone
