"""What pages know of pictures: one query for all of a page, which reads no content. What is missing is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from celery import current_app
from django.core.cache import cache
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from common import clock
from registry.images.addresses import image_name
from registry.models import StoredImage

AGAIN_SECONDS = 60
MOST_ASKED = 100  # by one page
JOB = "registry.jobs.fetch_image"


@dataclass(frozen=True)
class Known:
    """Of a picture that was fetched. `digest` is "" where there was nothing to show, sizes are in pixels (0: not
    known)."""

    digest: str
    width: int
    height: int


def images_known(urls: Iterable[str], side: int) -> Mapping[str, Known]:
    """By address. Those that were never fetched are not there."""
    names = {image_name(url, side): url for url in urls if url}
    if not names:
        return {}
    rows = list(StoredImage.objects.filter(key__in=names).values_list("key", "digest", "width", "height", "until"))
    fresh = {key for key, _, _, _, until in rows if is_fresh(until)}
    images_ask([url for name, url in names.items() if name not in fresh], side)
    return {
        names[key]: Known(digest, width, height) for key, digest, width, height, _ in rows if digest or key in fresh
    }


def is_fresh(until: datetime | None) -> bool:
    """Whether a picture with this `StoredImage.until` need not be fetched again yet."""
    return until is not None and until > clock.now()


def images_ask(urls: list[str], side: int) -> None:
    """Each at most once a minute, however many pages want it. Without a broker the next page asks again."""
    with suppress(OperationalError, RedisError):
        for url in urls[:MOST_ASKED]:
            if cache.add(f"registry:image:{image_name(url, side)}", 1, AGAIN_SECONDS):
                current_app.send_task(JOB, args=[url, side], expires=AGAIN_SECONDS, retry=False)
