"""How jobs and pages of the site reach runners: one short-lived pool for each piece of asynchronous work."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

from django.conf import settings

from hosting.stream import RunnerPool


@contextlib.asynccontextmanager
async def runner_links() -> AsyncIterator[RunnerPool]:
    """A pool that is closed at the end. A job runs its own event loop, so it can't share one with others."""
    pool = RunnerPool(f"{settings.SLIPWAY_PART}-{os.getpid()}")
    try:
        yield pool
    finally:
        await pool.close()
