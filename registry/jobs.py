"""Celery jobs of the registry. Each may run twice, late, or beside itself; none holds a rule of its own."""

from __future__ import annotations

from contextlib import suppress

from celery import shared_task
from django.conf import settings

from common.errors import Conflict
from common.outbound import OutboundError
from registry.images import keeping
from registry.images.showing import AGAIN_SECONDS
from registry.importing import following
from registry.readme import fetching
from registry.search.indexing import words_count

IMAGE_TRIES = 10  # 1 + 2 + … + 10 seconds: about AGAIN_SECONDS


@shared_task(ignore_result=True)
def follow_upstreams() -> None:
    """Queues a run for each upstream whose time has come."""
    for upstream_id in following.upstreams_due():
        follow_upstream.delay(upstream_id)


@shared_task(ignore_result=True)
def follow_upstream(upstream_id: int) -> None:
    with suppress(Conflict, OutboundError):  # both are written down; the next run goes on
        following.upstream_follow(upstream_id)


@shared_task(ignore_result=True)
def fetch_readmes() -> None:
    """Some of those that nobody looked at yet, so that search knows them."""
    for server_id in fetching.readmes_due(settings.REGISTRY_READMES_A_MINUTE):
        fetch_readme.delay(server_id)


@shared_task(ignore_result=True)
def fetch_readme(server_id: int) -> None:
    fetching.readme_fetch(server_id)


@shared_task(ignore_result=True)
def fetch_image(url: str, side: int, tries: int = 0) -> None:
    """While this worker fetches others it comes again, later each time and within a minute. A page that lacks the
    picture then asks anew: what nobody looks at any more is not queued for ever."""
    if not keeping.image_fetch(url, side=side) and tries < IMAGE_TRIES:
        fetch_image.apply_async(args=(url, side, tries + 1), countdown=tries + 1, expires=AGAIN_SECONDS)


@shared_task(ignore_result=True)
def forget_images() -> None:
    keeping.images_forget()


@shared_task(ignore_result=True)
def count_words() -> None:
    """How common each word is decides what a search is about, and what a misspelt word may have been."""
    words_count()
