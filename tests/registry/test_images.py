"""Pictures of READMEs and icons: what is fetched, what becomes of it, and that nothing else can be had through it."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module
from io import BytesIO
from pathlib import Path
from queue import Empty
from threading import Event, Semaphore
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from common import clock
from config.celery import app
from registry.images.addresses import image_address, image_key
from registry.images.encoding import MAX_PIXELS, NoPicture, encoded
from registry.images.keeping import ICON_SIDE, README_SIDE, image_fetch, images_forget
from registry.images.showing import JOB, Known
from registry.jobs import IMAGE_TRIES, fetch_image
from registry.models import Readme, SearchEntry, StoredImage
from registry.readme.pictures import with_pictures
from registry.readme.rendering import as_html
from registry.search.finding import Search, find
from registry.views.marks import letter_of
from tests.registry.entries import publish
from tests.registry.fakes.peers import Peers, peers_for
from tests.registry.fakes.web import MISSING, Request, Response

NAME = "io.github.acme/slack"
PAGE = f"/registry/servers/{NAME}"
ICON = f"{PAGE}/-/icon"


def drawn(width: int = 30, height: int = 20, kind: str = "PNG", **options: Any) -> bytes:
    made = BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(made, kind, **options)
    return made.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A file of some bytes that says it is that large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


class FakePictures:
    """A host of pictures by path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"/a.png": drawn()}
        self.answers: dict[str, Response] = {}
        self.may_answer = Event()
        self.may_answer.set()
        self.asked = Semaphore(0)

    def answer(self, request: Request) -> Response:
        self.asked.release()
        self.may_answer.wait(10)
        if request.path in self.answers:
            return self.answers[request.path]
        found = self.files.get(request.path)
        return MISSING if found is None else Response(200, found, {"Content-Type": "image/png", "Set-Cookie": "a=b"})


class Host:
    def __init__(self, peers: Peers) -> None:
        self.pictures = FakePictures()
        self.url, self.server = peers.serve("pictures.test", self.pictures.answer)

    def icon(self, client: Client, path: str) -> Any:
        """The answer for a server whose icon is at this path, once a job has fetched it."""
        publish(NAME, f"1.{StoredImage.objects.count()}.0", icons=[{"src": self.url + path}])
        assert client.get(ICON).status_code == 202
        assert image_fetch(self.url + path, side=ICON_SIDE)
        return client.get(ICON)


@pytest.fixture
def host(tmp_path: Path, settings: Any) -> Iterator[Host]:
    with peers_for(tmp_path, settings) as peers:
        yield Host(peers)


def readme(text: str, files: str = "") -> Readme:
    """As fetching keeps it, with pictures that lie at `files`."""
    images: dict[str, str] = {}

    def here(src: str) -> str:
        if url := image_address(src, files, ["github.com"]):
            images[image_key(url)] = url
            return f"{PAGE}/-/images/{image_key(url)}"
        return ""

    html = as_html(text, picture=here)
    return Readme.objects.update_or_create(
        server=publish(NAME), defaults={"version": "1.0.0", "text": text, "html": html, "images": images}
    )[0]


@pytest.mark.django_db
def test_picture_of_a_readme_comes_from_this_site_and_is_made_anew(host: Host, client: Client) -> None:
    host.pictures.files["/HEAD/docs/shot.png"] = drawn(3000, 30)
    kept = readme("![A shot](docs/shot.png)", f"{host.url}/HEAD/")
    (key,) = kept.images
    page = client.get(PAGE).content.decode()
    assert f'src="{PAGE}/-/images/{key}"' in page and 'alt="A shot"' in page and host.url not in page
    assert "<img data-pending" in page and client.get(f"{PAGE}/-/images/{key}").status_code == 202
    assert image_fetch(kept.images[key], side=README_SIDE)
    assert '<img width="1600" height="16"' in client.get(PAGE).content.decode()

    client.cookies["sessionid"] = "secret"
    answer = client.get(f"{PAGE}/-/images/{key}", headers={"Referer": "http://testserver/private"})

    assert answer.status_code == 200 and answer["Content-Type"] == "image/webp"
    assert Image.open(BytesIO(answer.content)).size == (1600, 16)
    assert "sandbox" in answer["Content-Security-Policy"] and "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff" and "max-age" in answer["Cache-Control"]
    (asked,) = host.server.seen
    assert not {"cookie", "referer", "authorization"} & asked.headers.keys()


@pytest.mark.django_db
def test_it_is_fetched_once_and_not_sent_again_to_who_has_it(host: Host, client: Client) -> None:
    first = host.icon(client, "/a.png")
    assert client.get(ICON).content == first.content
    again = client.get(ICON, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, len(host.server.seen)) == (304, b"", 1)

    StoredImage.objects.update(until=clock.now() - timedelta(seconds=1))
    host.pictures.files.clear()
    assert client.get(ICON).content == first.content and image_fetch(f"{host.url}/a.png", side=ICON_SIDE)
    assert client.get(ICON).content == first.content  # an older one is better than none
    assert len(host.server.seen) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/-/images/" + "0" * 32, "/-/images/short", "/-/images/" + "g" * 32, "/-/icon"])
def test_what_no_readme_refers_to_is_not_there(host: Host, client: Client, path: str) -> None:
    readme(f"![x]({host.url}/a.png)")
    assert client.get(PAGE + path).status_code == 404
    assert client.get(f"/registry/servers/io.github.acme/other{path}").status_code == 404
    assert client.post(PAGE + path).status_code in (404, 405)
    assert host.server.seen == []


@pytest.mark.django_db
def test_nor_of_a_server_that_was_taken_down(host: Host, client: Client) -> None:
    server = readme(f"![x]({host.url}/a.png)").server
    server.taken_down_at = clock.now()
    server.save()
    assert client.get(f"{PAGE}/-/images/{image_key(host.url + '/a.png')}").status_code == 404
    assert client.get(ICON).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script>",
        drawn()[:60],
        drawn(kind="BMP"),
        drawn(kind="TIFF"),
        png_header(60_000, 60_000),
        png_header(MAX_PIXELS, 2),
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        drawn() + b"x" * (5 * 1024 * 1024),
    ],
)
def test_what_is_no_picture_or_too_large_is_not_shown(host: Host, client: Client, content: bytes) -> None:
    host.pictures.files["/b.png"] = content
    answer = host.icon(client, "/b.png")
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/plain")
    assert client.get(ICON).status_code == 404 and len(host.server.seen) == 1  # asked for again some hours later


@pytest.mark.django_db
@pytest.mark.parametrize("status", [301, 403, 500])
def test_other_answers_are_no_pictures(host: Host, client: Client, status: int) -> None:
    host.pictures.answers["/b.png"] = Response(status, drawn(), {"Location": "http://pictures.test/a.png"})
    assert host.icon(client, "/b.png").status_code == 404


@pytest.mark.django_db
def test_private_addresses_are_refused(host: Host, client: Client, settings: Any) -> None:
    settings.SLIPWAY_EGRESS_PRIVATE = []  # the operator's list, without which 127.0.0.1 is private like any other
    assert host.icon(client, "/a.png").status_code == 404
    assert host.server.seen == []


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
def test_lists_show_icons_by_one_more_query_and_letters_where_there_is_none(
    host: Host, client: Client, django_assert_num_queries: Any
) -> None:
    publish("org.example/mcp-tides")
    with CaptureQueriesContext(connection) as without:
        text = client.get("/registry/").content.decode()
    queries = len(without)
    assert '<span class="server-mark" aria-hidden="true">T</span>' in text and "<img" not in text
    host.icon(client, "/a.png")
    with django_assert_num_queries(queries + 1):
        text = client.get("/registry/").content.decode()
    assert re.search(rf'<img class="server-mark" src="{ICON}\?\w+" alt="" width="40" height="40" loading="lazy"', text)
    assert {row.icon for row in find(Search()).rows} == {"", f"{host.url}/a.png"}


@pytest.mark.parametrize(
    ("title", "name", "letter"),
    [
        ("Tides", "a/b", "T"),
        ("", "org.example/mcp-server-time", "T"),
        ("MCP Server", "org.example/weather", "M"),
        ("", "org.example/mcp", "M"),
        ("The harbour", "a/b", "H"),
        ("Überall", "a/b", "Ü"),
        ("★", "a/-", "A"),
    ],
)
def test_letter_is_of_the_word_that_tells_it_from_others(title: str, name: str, letter: str) -> None:
    assert letter_of(title, name) == letter


def test_pictures_have_their_size_as_their_author_wants_it() -> None:
    keys = {f"https://a.test/{name}": image_key(f"https://a.test/{name}") for name in "abcde"}
    images = {key: url for url, key in keys.items()}
    known = {url: Known("x", 400, 200) for url in list(keys)[:3]} | {list(keys)[3]: Known("", 0, 0)}
    attributes = ["", ' width="100"', ' height="50"', "", ""]
    text = "".join(
        f'<img alt="{n} &lt;"{more} src="/s/-/images/{key}">'
        for n, (key, more) in enumerate(zip(images, attributes, strict=True))
    )
    made = with_pictures(text, images, known)
    assert made.count("<img") == 4 and "3 &lt;" in made
    for size in ('width="400" height="200"', 'width="100" height="50"'):
        assert size in made
    assert made.count('width="100" height="50"') == 2 and made.count("data-pending") == 1
    assert with_pictures("<p>plain</p>", {}, {}) == "<p>plain</p>"


@pytest.mark.django_db
def test_pictures_that_nobody_asks_for_are_forgotten(host: Host, client: Client) -> None:
    host.icon(client, "/a.png")
    assert images_forget() == 0
    StoredImage.objects.update(until=clock.now() - timedelta(days=31))
    assert images_forget() == 1


def test_only_the_first_frame_stays_and_no_metadata() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    gif = BytesIO()
    frames[0].save(gif, "GIF", save_all=True, append_images=frames[1:])
    made = Image.open(BytesIO(encoded(gif.getvalue(), side=100).content))
    assert (made.format, getattr(made, "n_frames", 1)) == ("WEBP", 1)
    red, green, blue = made.convert("RGB").getpixel((4, 4))  # type: ignore[misc]
    assert red > 200 and green < 60 and blue < 60

    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "Bern, 46.9 N", 6  # a description; to be turned by 90 degrees
    made = Image.open(BytesIO(encoded(drawn(40, 10, "JPEG", exif=exif), side=100).content))
    assert made.size == (10, 40) and not made.getexif()


def test_transparency_stays() -> None:
    png = BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(png, "PNG")
    assert Image.open(BytesIO(encoded(png.getvalue(), side=100).content)).convert("RGBA").getpixel((1, 1))[3] == 0  # type: ignore[index]


def test_a_bomb_is_refused_by_what_its_header_says() -> None:
    with pytest.raises(NoPicture, match="pixels"):
        encoded(png_header(50_000, 50_000), side=100)


@pytest.mark.parametrize(
    ("src", "found"),
    [
        ("https://a.test/x.png#y", "https://a.test/x.png"),
        ("img/x.png", "https://raw.test/o/n/HEAD/docs/img/x.png"),
        ("../x.png", "https://raw.test/o/n/HEAD/x.png"),
        ("https://github.com/o/n/blob/main/x.png?raw=true", "https://github.com/o/n/raw/main/x.png"),
        ("http://a.test/x.png", ""),
        ("https://a.test/x.svg", ""),
        ("https://a.test/x.SVG?y", ""),
        ("https://me@a.test/x.png", ""),
        ("data:image/png;base64,AAAA", ""),
        ("javascript:alert(1)", ""),
        ("//[x/y.png", ""),
        ("/x.png", ""),
        ("https://a.test/" + "x" * 3000, ""),
    ],
)
def test_which_addresses_are_fetched(src: str, found: str) -> None:
    assert image_address(src, "https://raw.test/o/n/HEAD/docs/", ["github.com"]) == found


def test_pictures_that_are_not_shown_leave_their_words() -> None:
    text = '![a < b](x.svg) <img src="y.png"> <img src="x.svg" alt="&lt;script&gt;" onerror="x"> ![plain](y.png)'
    html = as_html(text, picture=lambda src: "/there" if src == "y.png" else "")
    assert "a &lt; b" in html and "&lt;script&gt;" in html and "<script" not in html and "onerror" not in html
    assert html.count("<img") == 2 and html.count('src="/there"') == 2 and html.count("alt=") == 2


@pytest.mark.django_db
def test_entries_of_before_get_the_icon_that_an_index_made_anew_would_give_them() -> None:
    many = [{"src": "https://a.test/dark.png", "theme": "dark"}, {"src": "https://a.test/any.png"}]
    for number, icons in enumerate([many, many[:1], [{"src": "https://a.test/x.svg"}], "none", None]):
        given: dict[str, Any] = {} if icons is None else {"icons": icons}
        publish(f"org.example/{number}", **given)
    made = dict(SearchEntry.objects.values_list("name", "icon"))
    SearchEntry.objects.update(icon="")
    import_module("registry.migrations.0010_pictures_in_lists").icons_fill(apps, None)
    assert dict(SearchEntry.objects.values_list("name", "icon")) == made and sum(map(bool, made.values())) == 2
