"""The rows of built environments. A builder that notes one and the cleaner that takes it away keep out of each other's
way by a lock for each digest, held until the transaction ends: a row says "ready" only of what is there.
"""

from __future__ import annotations

from pathlib import Path

from django.db import connection

from hosting import environments
from hosting.models import Environment

_LOCK_SPACE = 0x534D  # keeps our advisory locks apart from others' on the same database


def environment_note(built: environments.Built, store: Path) -> Environment:
    """Call it in a transaction. "Removed" when the cleaner was faster: then it has to be installed again."""
    environment_lock(built.digest)
    is_there = environments.is_there(built.digest, store)
    environment, _ = Environment.objects.update_or_create(
        digest=built.digest,
        defaults={
            "kind": built.kind,
            "path": str(built.path),
            "lock": built.lock,
            "made_from": built.made_from,
            "state": Environment.Status.READY if is_there else Environment.Status.REMOVED,
            "size_bytes": built.size_bytes if is_there else 0,
            "unused_since": None,
        },
    )
    return environment


def environment_lock(digest: str) -> None:
    """Call it in a transaction, which holds it."""
    key = int(digest[:8], 16) - 2**31
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_SPACE, key])
