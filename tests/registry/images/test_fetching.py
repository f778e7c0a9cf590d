"""Who fetches a picture, how often, and what waits meanwhile: nobody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from queue import Empty
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from common import clock
from config.celery import app
from registry.images.keeping import ICON_SIDE, image_fetch, images_forget
from registry.images.showing import JOB
from registry.jobs import IMAGE_TRIES, fetch_image
from registry.models import StoredImage
from tests.registry.entries import publish
from tests.registry.images.pictures import ICON, NAME, PAGE, Host


def queued() -> list[Any]:
    """Takes what jobs of ours were queued, as their arguments."""
    found: list[Any] = []
    with app.connection_for_read() as broker, broker.SimpleQueue(app.conf.task_default_queue) as queue:
        while True:
            try:
                message = queue.get_nowait()
            except Empty:
                return found
            message.ack()
            if message.headers["task"] == JOB:
                found.append(message.payload[0])


@pytest.mark.django_db(transaction=True)
def test_two_at_once_fetch_once_and_nobody_waits(host: Host, client: Client) -> None:
    publish(NAME, icons=[{"src": f"{host.url}/a.png"}])
    host.pictures.may_answer.clear()

    def fetch() -> bool:
        try:
            return image_fetch(f"{host.url}/a.png", side=ICON_SIDE)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fetch)
        assert host.pictures.asked.acquire(timeout=20)
        assert pool.submit(fetch).result(20)  # the other one has it
        answer = client.get(ICON)
        assert (answer.status_code, answer["Cache-Control"], answer["Content-Type"]) == (202, "no-store", "image/gif")
        host.pictures.may_answer.set()
        assert first.result(20)

    assert len(host.server.seen) == 1 and client.get(ICON).content.startswith(b"RIFF")


@pytest.mark.django_db(transaction=True)
def test_who_fetches_a_picture_keeps_no_connection_to_the_database_and_few_fetch(host: Host) -> None:
    host.pictures.may_answer.clear()

    def fetch(number: int) -> bool:
        try:
            return image_fetch(f"{host.url}/{number}.png", side=ICON_SIDE)
        finally:
            connection.close()

    def connections() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            return int(cursor.fetchone()[0])

    before = connections()
    with ThreadPoolExecutor(2) as pool:
        under_way = [pool.submit(fetch, number) for number in range(2)]
        assert all(host.pictures.asked.acquire(timeout=20) for _ in under_way)
        assert connections() == before
        assert fetch(3) is False
        host.pictures.may_answer.set()
        assert [each.result(20) for each in under_way] == [True, True]


@pytest.mark.django_db
def test_pages_have_what_they_lack_fetched_once_a_minute(host: Host, client: Client) -> None:
    url = f"{host.url}/a.png"
    publish(NAME, icons=[{"src": url}])
    queued()
    for path in (PAGE, ICON, "/registry/", "/", PAGE):
        client.get(path)
    (arguments,) = queued()
    assert arguments == [url, ICON_SIDE]
    fetch_image(*arguments)
    assert f'src="{ICON}?' in client.get(PAGE).content.decode() and queued() == []


@pytest.mark.django_db(transaction=True)
def test_a_picture_that_finds_its_worker_busy_comes_again_for_about_a_minute(host: Host) -> None:
    def fetch(number: int) -> None:
        try:
            image_fetch(f"{host.url}/{number}.png", side=ICON_SIDE)
        finally:
            connection.close()

    host.pictures.may_answer.clear()
    queued()
    with ThreadPoolExecutor(2) as pool:
        under_way = [pool.submit(fetch, number) for number in range(2)]
        assert all(host.pictures.asked.acquire(timeout=20) for _ in under_way)
        jobs: list[Any] = [[f"{host.url}/a.png", ICON_SIDE]]
        for job in jobs:  # which grow
            fetch_image(*job)
            jobs += queued()
            assert len(jobs) <= 60
        host.pictures.may_answer.set()
        for each in under_way:
            each.result(20)
    assert [job[2:] for job in jobs] == [[], *([number] for number in range(1, IMAGE_TRIES + 1))]
    assert 50 < sum(tries for (tries,) in (job[2:] for job in jobs[1:])) < 60, "seconds that it waits altogether"


@pytest.mark.django_db
def test_pictures_that_nobody_asks_for_are_forgotten(host: Host, client: Client) -> None:
    host.icon(client, "/a.png")
    assert images_forget() == 0
    StoredImage.objects.update(until=clock.now() - timedelta(days=31))
    assert images_forget() == 1
