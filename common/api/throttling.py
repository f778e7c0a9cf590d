"""How many requests a token, or a signed-in person, may make a minute: counted in Valkey, for all web processes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from common import clock

WINDOW_SECONDS = 60


class RequestThrottle(BaseThrottle):
    """Windows of the clock's minutes. Without Valkey nothing is counted, and nobody refused."""

    def allow_request(self, request: Request, view: Any) -> bool:
        who = getattr(request.auth, "pk", None) or getattr(request.user, "pk", None)
        if who is None:  # whoever is nobody is refused before this, or reads a public document
            return True
        window, passed = divmod(int(clock.now().timestamp()), WINDOW_SECONDS)
        self._wait = WINDOW_SECONDS - passed
        return _count(f"api:{who}:{window}") <= settings.API_REQUESTS_PER_MINUTE

    def wait(self) -> float:
        return float(self._wait)


def _count(key: str) -> int:
    try:
        if cache.add(key, 1, timeout=2 * WINDOW_SECONDS):
            return 1
        return cache.incr(key)
    except (RedisError, ValueError):  # gone between the two: its minute was over
        return 0
