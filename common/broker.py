"""Celery's transport for Redis and Valkey, with one client a channel where kombu makes one for every job that ends.

Making a client is dear (redis-py fills a table of some hundred callbacks): it was a fifth of what a worker did for jobs
of milliseconds. A client holds no connection, those are the pool's, and may be used by many threads.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis


class Channel(redis.Channel):
    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]
        return self._kept


class Transport(redis.Transport):
    Channel = Channel


def transport_use() -> None:
    """From now on `redis://` and its like mean this one, in this process."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
