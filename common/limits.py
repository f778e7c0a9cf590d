"""How often something may be tried: counted in Valkey, for all web processes.

A window begins with the first attempt of whom it counts. Windows of the clock would let twice the limit through around
each of their ends, and everybody could know when that is.
"""

from __future__ import annotations

import hashlib

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import ngettext
from redis.exceptions import RedisError

from common import clock
from common.errors import AppError


class TooMany(AppError):
    """The limit is reached. `retry_after` is in seconds."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        words = ngettext(
            "That was too often. Try again in %(count)d second.",
            "That was too often. Try again in %(count)d seconds.",
            retry_after,
        )
        super().__init__("too_many", words % {"count": retry_after})
        self.retry_after = retry_after


def count(what: str, who: str, *, limit: int, seconds: int) -> None:
    """Counts one attempt. Raises TooMany beyond the limit. Without Valkey nothing is counted, and nobody refused."""
    try:
        start, left = _window(what, who, seconds)
    except RedisError:
        return
    if _add(_key(what, who, start), 2 * seconds) > limit:
        raise TooMany(left)


def check(what: str, who: str, *, limit: int, seconds: int) -> None:
    """The same without counting: for what counts only when it fails. Raises TooMany."""
    try:
        start, left = _window(what, who, seconds)
        found = cache.get(_key(what, who, start), 0)
    except RedisError:
        return
    if found >= limit:
        raise TooMany(left)


def address_of(request: HttpRequest) -> str:
    """uvicorn has put the client's here where a trusted proxy stands in front."""
    return str(request.META.get("REMOTE_ADDR", ""))


def _window(what: str, who: str, seconds: int) -> tuple[int, int]:
    """When it began (Unix time), and how many seconds it has left. The count has a key of its own for each window, so
    that one that outlives its window can't refuse anybody."""
    now = int(clock.now().timestamp())
    key = _key(what, who, "start")
    start = int(cache.get_or_set(key, now, timeout=seconds) or now)
    if not start <= now < start + seconds:
        cache.set(key, now, timeout=seconds)
        start = now
    return start, start + seconds - now


def _key(what: str, who: str, window: int | str) -> str:
    return f"limit:{what}:{hashlib.sha256(who.encode('utf-8', 'replace')).hexdigest()[:32]}:{window}"


def _add(key: str, seconds: int) -> int:
    try:
        return 1 if cache.add(key, 1, timeout=seconds) else int(cache.incr(key))
    except (RedisError, ValueError):  # gone between the two: its window was over
        return 0
