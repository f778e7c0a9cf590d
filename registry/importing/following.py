"""Registries that this site follows: each is read on from where it was left, page by page.

The first run reads all of it, later ones what changed since, by the other side's clock. How far a run has come is
written with the page it has stored, so one that broke off goes on there, in whatever process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

from django.db import connection, transaction

from common import clock
from common.errors import AppError, BadInput, Conflict
from common.outbound import Door, OutboundError, site_door
from events.actors import Actor
from events.audit import record
from registry.importing.importing import Report, page_store
from registry.importing.sources import page_fetch
from registry.models import Upstream
from registry.search.indexing import words_count

# What the other side wrote while it answered may bear an earlier time than its answer.
OVERLAP = timedelta(minutes=2)
LEAST_INTERVAL = 60
MAX_PAGES = 100_000
MANY = 1000  # changes, after which it does not wait for the job that words are counted anew
_LOCK = 0x52454749  # the space of our advisory locks: one run of an upstream at a time


def upstream_add(*, actor: Actor, url: str, label: str = "", interval_seconds: int = 3600) -> Upstream:
    """Also when it is known already: then it is followed again, at this interval. Raises BadInput."""
    base = base_of(url)
    with transaction.atomic():
        found, _ = Upstream.objects.update_or_create(
            url=base,
            defaults={"is_enabled": True, "interval_seconds": max(interval_seconds, LEAST_INTERVAL)},
            create_defaults={
                "label": label or urlsplit(base).netloc,
                "interval_seconds": max(interval_seconds, LEAST_INTERVAL),
            },
        )
        record(actor, "upstream:add", "upstream", found.pk, url=base)
    return found


def base_of(url: str) -> str:
    """Without the paths of the API, which people copy along. Raises BadInput."""
    parts = urlsplit(url.strip())
    if parts.scheme != "https" or not parts.netloc or parts.query or parts.fragment:
        raise BadInput("bad_upstream", "A registry is named by its address: https://registry.example.org", field="url")
    path = parts.path.rstrip("/")
    for suffix in ("/servers", "/v0.1", "/v0"):
        path = path.removesuffix(suffix)
    return f"https://{parts.netloc}{path}"


def upstream_stop(*, actor: Actor, upstream: Upstream) -> None:
    """What it brought stays."""
    Upstream.objects.filter(pk=upstream.pk).update(is_enabled=False)
    record(actor, "upstream:stop", "upstream", upstream.pk, url=upstream.url)


def upstreams_due() -> list[int]:
    now = clock.now()
    return [
        one.pk
        for one in Upstream.objects.filter(is_enabled=True)
        if one.last_run_at is None or one.last_run_at + timedelta(seconds=one.interval_seconds) <= now
    ]


def upstream_follow(
    upstream_id: int, *, door: Door | None = None, on_page: Callable[[Report], None] | None = None
) -> Report:
    """A run to its end. Raises Conflict while another process runs it, OutboundError when the other side fails;
    what was stored stays, and the next run goes on from there."""
    with _alone(upstream_id):
        upstream = Upstream.objects.get(pk=upstream_id)
        Upstream.objects.filter(pk=upstream_id).update(last_run_at=clock.now())
        report = Report()
        try:
            _run(upstream, door or site_door(), report, on_page)
        except OutboundError as error:
            Upstream.objects.filter(pk=upstream_id).update(error=error.message[:2000])
            raise
        except AppError:
            raise
        except Exception as error:
            Upstream.objects.filter(pk=upstream_id).update(error=f"{type(error).__name__} in this site"[:2000])
            raise
    if report.changed >= MANY:
        words_count()
    return report


def _run(upstream: Upstream, door: Door, report: Report, on_page: Callable[[Report], None] | None) -> None:
    is_resumed = upstream.run_started_at is not None and bool(upstream.cursor)
    since = upstream.run_since if is_resumed else upstream.since
    cursor = upstream.cursor if is_resumed else ""
    for _ in range(MAX_PAGES):
        page = page_fetch(door, upstream.url, cursor=cursor, since=since)
        if not is_resumed and not cursor:
            upstream.run_started_at, upstream.run_since = page.said_at or clock.now(), since
        if page.next_cursor and page.next_cursor == cursor:
            raise OutboundError("registry_failed", f"{upstream.url} answers the same page again and again.")
        cursor = page.next_cursor
        with transaction.atomic():
            page_store(page.entries, upstream, report)
            _note(upstream, cursor, len(page.entries))
        if on_page is not None:
            on_page(report)
        if not cursor:
            return
    raise OutboundError("registry_failed", f"{upstream.url} has no last page.")


def _note(upstream: Upstream, cursor: str, entries: int) -> None:
    """How far it has come, in the transaction that stored the page."""
    assert upstream.run_started_at is not None
    upstream.cursor = cursor
    upstream.entries += entries
    if not cursor:
        upstream.since = upstream.run_started_at - OVERLAP
        upstream.run_started_at, upstream.run_since = None, None
        upstream.last_success_at, upstream.error = clock.now(), ""
    upstream.save(
        update_fields=["cursor", "entries", "since", "run_started_at", "run_since", "last_success_at", "error"]
    )


@contextmanager
def _alone(upstream_id: int) -> Iterator[None]:
    """Raises Conflict. The lock is this connection's and ends with it, so a killed run locks nobody out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, upstream_id])
        if not cursor.fetchone()[0]:
            raise Conflict("upstream_busy", "This registry is being read already.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, upstream_id])
