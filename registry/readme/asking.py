"""Has a README fetched because somebody looks at its server's page."""

from __future__ import annotations

from contextlib import suppress

from celery import current_app
from django.core.cache import cache
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

AGAIN_SECONDS = 60
JOB = "registry.jobs.fetch_readme"


def readme_ask(server_id: int) -> None:
    """At most once a minute for a server, however many look at it. Without a broker the sweep finds it later."""
    with suppress(OperationalError, RedisError):
        if cache.add(f"registry:readme:{server_id}", 1, AGAIN_SECONDS):
            current_app.send_task(JOB, args=[server_id], expires=AGAIN_SECONDS, retry=False)
