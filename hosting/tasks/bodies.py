"""The results of tasks: small ones in PostgreSQL, large ones in object storage where the site has one.

What is put into the storage is written down first (`StoredBody`), so that nothing is ever there that nobody knows: an
object whose result's row was never committed, or is gone, is deleted by the sweep.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import msgspec
import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db.models import Exists, OuterRef, Q

from common import clock, ids
from common.errors import Unavailable
from hosting.models import StoredBody, Task, TaskResult
from hosting.tasks.states import Outcome, Seen

log = structlog.get_logger(__name__)

STORAGE: Final = "task_results"  # its name in settings.STORAGES
FOLDER: Final = "tasks"
UNBORN_AFTER: Final = timedelta(minutes=10)  # by then the row of its result is committed, or never will be
DELETED_AT_ONCE: Final = 200
INTERNAL_ERROR: Final = -32603
_MIB: Final = 1024 * 1024

_encode = msgspec.json.Encoder().encode


def within_limit(seen: Seen) -> Seen:
    """`seen`, or the same as an error where its result is larger than the site keeps. The error says what it was."""
    most = settings.SLIPWAY_TASK_RESULT_BYTES
    if len(seen.body) <= most:
        return seen
    how = {Outcome.RESULT: "ended well", Outcome.TOOL_ERROR: "ended with an error of its own"}.get(
        seen.outcome or Outcome.ERROR, "was refused"
    )
    words = (
        f"The tool {how}, but what it gave was not kept: {_mib(len(seen.body))} MB are more than this site's limit of "
        f"{_mib(most)} MB for the result of a task."
    )
    data = {"reason": "result_too_large", "outcome": seen.outcome, "bytes": len(seen.body), "limit": most}
    body = _encode({"code": INTERNAL_ERROR, "message": words, "data": data})
    return replace(seen, outcome=Outcome.ERROR, reason=words, body=body)


def _mib(octets: int) -> str:
    return f"{octets / _MIB:.1f}".removesuffix(".0")


def is_for_storage(body: bytes) -> bool:
    """Whether it is to lie in the storage, which takes a while."""
    return len(body) >= settings.SLIPWAY_TASK_STORAGE_BYTES and _storage() is not None


def body_put(body: bytes) -> str:
    """Into the storage, if it is large and there is one; its name there, "" where the row is to hold it.

    Call it outside of the transaction that commits the result. Where the storage is away the row holds it.
    """
    storage = _storage()
    if storage is None or not is_for_storage(body):
        return ""
    stored = StoredBody.objects.create(name=f"{FOLDER}/{ids.random_token(192)}")
    try:
        name = storage.save(stored.name, ContentFile(body))
    except Exception as error:  # whatever the client library of a storage raises
        log.warning("task_result_not_stored", error=str(error))
        return ""
    if name != stored.name:  # a storage may choose another one
        StoredBody.objects.create(name=name)
    return name


def body_of(task_id: str) -> bytes:
    """Raw JSON of the result or the error, b"" where there is none. Raises Unavailable when the storage is away."""
    found = TaskResult.objects.filter(task_id=task_id).values_list("body", "stored").first()
    if found is None:
        return b""
    body, name = found
    return stored_read(name) if name else bytes(body)


def stored_read(name: str) -> bytes:
    """Out of the storage. Raises Unavailable when that is away."""
    storage = _storage()
    try:
        if storage is None:
            raise OSError("no storage for results of tasks is set")
        with storage.open(name) as file:
            body: bytes = file.read()
        return body
    except Exception as error:  # whatever the client library of a storage raises
        log.warning("task_result_not_read", stored=name, error=str(error))
        raise Unavailable("result_away", "The storage of results does not answer. Try again shortly.") from error


def bodies_sweep() -> None:
    """Deletes what no result refers to any more."""
    storage = _storage()
    if storage is None:
        return
    wanted = Exists(TaskResult.objects.filter(stored=OuterRef("name")))
    rows = StoredBody.objects.filter(~wanted, Q(created_at__lt=clock.now() - UNBORN_AFTER) | Q(was_kept=True))
    for stored in rows.order_by("created_at")[:DELETED_AT_ONCE]:
        try:
            storage.delete(stored.name)
        except Exception as error:
            log.warning("task_result_not_deleted", stored=stored.name, error=str(error))
            return
        stored.delete()


def result_create(task: Task, body: bytes, stored: str) -> None:
    """The row of a task's result, within the transaction that ends the task."""
    TaskResult.objects.create(task_id=task.id, body=b"" if stored else body, stored=stored)
    if stored:
        StoredBody.objects.filter(name=stored).update(was_kept=True)


def _storage() -> Storage | None:
    known: dict[str, Any] = storages.backends
    return storages[STORAGE] if STORAGE in known else None
