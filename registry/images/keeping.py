"""Fetches a picture when somebody first asks for it, and keeps it until it is out of date.

However many ask at once, on however many processes, one of them fetches (a conditional UPDATE says who); the others
wait for what comes of it, or are given the older one. No page waits for this: browsers ask for pictures by themselves.
"""

from __future__ import annotations

import time
from datetime import timedelta
from hashlib import sha256
from threading import BoundedSemaphore
from typing import Final

import structlog
from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext

from common import clock
from common.errors import Unavailable
from common.outbound import Door, OutboundError, site_door
from registry.images.addresses import image_key
from registry.images.encoding import NoPicture, encoded
from registry.models import StoredImage

log = structlog.get_logger()

MAX_BYTES: Final = 4 * 1024 * 1024
SECONDS: Final = 6.0  # for the whole fetch
CLAIM: Final = timedelta(seconds=20)
GOOD_FOR: Final = timedelta(days=7)
AGAIN: Final = timedelta(hours=6)  # after a failure
FORGOTTEN: Final = timedelta(days=30)  # nobody asked for it in that time
LOOK_SECONDS: Final = 0.1
README_SIDE, ICON_SIDE = 1600, 128
_fetching = BoundedSemaphore(4)  # of one process: each may unpack some 64 MB


def image_kept(url: str, *, side: int, door: Door | None = None) -> StoredImage | None:
    """May block for some seconds. None where there is nothing to show. Raises Unavailable while many are fetched."""
    key = f"{image_key(url)}-{side}"
    row = StoredImage.objects.filter(key=key).first()
    if row is not None and row.until is not None and row.until > clock.now():
        return row if row.content else None
    if row is None:
        StoredImage.objects.bulk_create([StoredImage(key=key, url=url)], ignore_conflicts=True)
    if _is_claimed(key):
        _fetch(key, url, side, door or site_door())
        row = StoredImage.objects.get(key=key)
    elif row is None or not row.content:
        row = _awaited(key)
    return row if row is not None and row.content else None


def images_forget() -> int:
    """Takes away those that nobody asked for in a month. How many."""
    return StoredImage.objects.filter(until__lt=clock.now() - FORGOTTEN).delete()[0]


def _is_claimed(key: str) -> bool:
    """Whether it is for this caller to fetch it."""
    now = clock.now()
    due = Q(until=None) | Q(until__lte=now)
    free = Q(busy_until=None) | Q(busy_until__lte=now)
    return StoredImage.objects.filter(due, free, key=key).update(busy_until=now + CLAIM) == 1


def _fetch(key: str, url: str, side: int, door: Door) -> None:
    rows = StoredImage.objects.filter(key=key)
    _lend_connection()
    if not _fetching.acquire(timeout=SECONDS):
        rows.update(busy_until=None)
        raise Unavailable("images_busy", gettext("Many pictures are being fetched. Try again in a moment."))
    try:
        answer = door.fetch_blocking(url, max_bytes=MAX_BYTES, seconds=SECONDS)
        if answer.status != 200:
            raise NoPicture(f"status {answer.status}")
        made = encoded(answer.content, side=side)
    except (OutboundError, NoPicture) as error:
        log.info("picture_refused", url=url, reason=str(error))
        rows.update(until=clock.now() + AGAIN, busy_until=None)  # an older one stays
        return
    finally:
        _fetching.release()
    digest = sha256(made.content).hexdigest()
    rows.update(content=made.content, digest=digest, until=clock.now() + GOOD_FOR, busy_until=None)


def _awaited(key: str) -> StoredImage | None:
    """What the one who fetches it makes of it."""
    end = time.monotonic() + CLAIM.total_seconds()
    while time.monotonic() < end:
        row = StoredImage.objects.filter(key=key).first()
        if row is None or row.busy_until is None or row.busy_until <= clock.now():
            return row
        _lend_connection()
        time.sleep(LOOK_SECONDS)
    return None


def _lend_connection() -> None:
    """Others use it while we wait: a few slow pictures would hold all that a web process has."""
    if not connection.in_atomic_block:
        connection.close()
