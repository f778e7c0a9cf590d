"""Fetches a picture once, on however many workers it was asked for, and keeps it until it is out of date.

A conditional UPDATE says who fetches. An older picture stays until there is a newer one.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from threading import BoundedSemaphore
from typing import Final

import structlog
from django.db import connection
from django.db.models import Q

from common import clock
from common.outbound import Door, OutboundError, site_door
from registry.images.addresses import image_name
from registry.images.encoding import NoPicture, encoded
from registry.models import StoredImage

log = structlog.get_logger()

MAX_BYTES: Final = 4 * 1024 * 1024
SECONDS: Final = 6.0  # for the whole fetch
CLAIM: Final = timedelta(seconds=20)
GOOD_FOR: Final = timedelta(days=7)
AGAIN: Final = timedelta(hours=6)  # after a failure
FORGOTTEN: Final = timedelta(days=30)  # nobody asked for it in that time
README_SIDE, ICON_SIDE = 1600, 128
_fetching = BoundedSemaphore(2)  # of one process: each may unpack some 64 MB, and other jobs need its threads


def image_fetch(url: str, *, side: int, door: Door | None = None) -> bool:
    """Blocks for some seconds where it is due. False while many are being fetched: try again soon."""
    key = image_name(url, side)
    if not _fetching.acquire(blocking=False):
        return False
    try:
        StoredImage.objects.bulk_create([StoredImage(key=key, url=url)], ignore_conflicts=True)
        if _is_claimed(key):
            _fetch(key, url, side, door or site_door())
    finally:
        _fetching.release()
    return True


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
    if not connection.in_atomic_block:
        connection.close()  # others use it while a stranger's host takes its time
    try:
        answer = door.fetch_blocking(url, max_bytes=MAX_BYTES, seconds=SECONDS)
        if answer.status != 200:
            raise NoPicture(f"status {answer.status}")
        made = encoded(answer.content, side=side)
    except (OutboundError, NoPicture) as error:
        log.info("picture_refused", url=url, reason=str(error))
        rows.update(until=clock.now() + AGAIN, busy_until=None)  # an older one stays
        return
    rows.update(
        content=made.content,
        digest=sha256(made.content).hexdigest(),
        width=made.width,
        height=made.height,
        until=clock.now() + GOOD_FOR,
        busy_until=None,
    )
