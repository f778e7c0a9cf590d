"""Celery jobs of the registry. Each may run twice, late, or beside itself; none holds a rule of its own."""

from __future__ import annotations

from contextlib import suppress

from celery import shared_task

from common.errors import Conflict
from common.outbound import OutboundError
from registry.importing import following


@shared_task(ignore_result=True)
def follow_upstreams() -> None:
    """Queues a run for each upstream whose time has come."""
    for upstream_id in following.upstreams_due():
        follow_upstream.delay(upstream_id)


@shared_task(ignore_result=True)
def follow_upstream(upstream_id: int) -> None:
    with suppress(Conflict, OutboundError):  # both are written down; the next run goes on
        following.upstream_follow(upstream_id)
