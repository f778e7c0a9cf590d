"""Public keys that others publish at a URL: fetched through the guarded door, kept, fetched again when they turn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.core.cache import cache

from common import clock
from common.errors import AppError, BadInput
from common.outbound import Answer, site_door
from oauth.clients.jwt import peek
from oauth.clients.metadata import public_keys

log = structlog.get_logger(__name__)

MAX_BYTES: Final = 64 * 1024
SECONDS: Final = 5.0
AGAIN_SECONDS: Final = 60  # at least, between two fetches for one owner
KEPT: Final = timedelta(hours=24)  # then a key that was withdrawn is not believed any more


def json_get(url: str, max_bytes: int = MAX_BYTES) -> Answer:
    """An answer that is JSON. No redirects. Raises AppError."""
    answer = site_door().fetch_blocking(
        url, headers={"Accept": "application/json"}, max_bytes=max_bytes, seconds=SECONDS, redirects=0
    )
    if answer.status != 200:
        raise BadInput("document_missing", f"It answered with {answer.status}.")
    if answer.media_type != "application/json" and not answer.media_type.endswith("+json"):
        raise BadInput("document_no_json", "It is no JSON.")
    return answer


def keys_newer(
    token: str, *, url: str, known: Mapping[str, Any], fetched_at: datetime | None, owner: str
) -> dict[str, Any] | None:
    """The keys anew, where `token` names one that is not known or those known are old; None: the known ones stand.

    `owner` is whose keys they are, for the limit: a stranger's tokens can't make us fetch without end.
    """
    is_old = fetched_at is None or fetched_at < clock.now() - KEPT
    kids = {key.get("kid") for key in (known or {}).get("keys", [])}
    if not is_old and peek(token)[0].get("kid") in kids:
        return None
    if not cache.add(f"oauth:keys:{owner}", 1, AGAIN_SECONDS):
        return None
    try:
        return public_keys(json_get(url).json(dict))
    except AppError as error:
        log.info("keys could not be fetched", owner=owner, url=url, reason=error.message)
        return None
