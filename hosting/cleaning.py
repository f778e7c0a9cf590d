"""Deleting what nobody needs any more: old call records, environments without a version, what dead builders left."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db.models import ProtectedError

from common import clock
from hosting import environments, usage
from hosting.models import Environment

log = structlog.get_logger(__name__)

UNUSED_FOR = timedelta(days=1)


def purge() -> None:
    usage.calls_purge()
    store = Path(settings.SLIPWAY_STORE)
    for environment in Environment.objects.filter(versions=None, created_at__lt=clock.now() - UNUSED_FOR):
        try:
            environment.delete()  # first: a version that takes it at this moment makes this fail
        except ProtectedError:
            continue
        environments.remove(environment.digest, store)
        log.info("environment_removed", digest=environment.digest)
    if store.exists():
        environments.sweep(store)
