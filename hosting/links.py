"""How jobs and pages of the site reach runners: one short-lived pool for each piece of asynchronous work."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

from django.conf import settings

from hosting.certificates import site_identity
from hosting.stream import RunnerPool


def runner_pool(process: str) -> RunnerPool:
    """A pool with the site's certificate, for runners on other hosts, where there is one."""
    return RunnerPool(process, lambda: site_identity(settings.SLIPWAY_SECRETS / "runners"))


@contextlib.asynccontextmanager
async def runner_links() -> AsyncIterator[RunnerPool]:
    """A pool that is closed at the end. A job runs its own event loop, so it can't share one with others."""
    pool = runner_pool(f"{settings.SLIPWAY_PART}-{os.getpid()}")
    try:
        yield pool
    finally:
        await pool.close()
