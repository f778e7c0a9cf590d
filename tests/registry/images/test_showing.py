"""Pictures of READMEs and icons: which are shown, as what, and that nothing else can be had through it."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib import import_module
from io import BytesIO
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from common import clock
from registry.images.addresses import image_key
from registry.images.encoding import MAX_PIXELS
from registry.images.keeping import ICON_SIDE, README_SIDE, image_fetch
from registry.models import SearchEntry, StoredImage
from registry.search.finding import Search, find
from tests.registry.entries import publish
from tests.registry.fakes.web import Response
from tests.registry.images.pictures import ICON, PAGE, Host, drawn, png_header, readme


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
