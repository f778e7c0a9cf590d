"""READMEs: fetched from where packages and repositories are, shown without anything that could act."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from common import clock
from registry.models import Readme, SearchEntry
from registry.readme.fetching import readme_fetch, readmes_due
from registry.readme.rendering import MAX_CHARACTERS, as_html
from registry.readme.sources import sources
from registry.search.finding import Search, find
from registry.server_json.reading import read
from tests.registry.entries import npm, publish, pypi
from tests.registry.fakes.indexes import FakePyPI
from tests.registry.fakes.peers import Peers, peers_for
from tests.registry.fakes.readmes import FakePackuments, FakeRawFiles

GITHUB = {"url": "https://github.com/acme/slack", "source": "github"}


class Hosts:
    def __init__(self, peers: Peers, settings: Any) -> None:
        self.npm, self.pypi, self.raw = FakePackuments(), FakePyPI(), FakeRawFiles()
        npm_url, self.npm_server = peers.serve("npm.test", self.npm.answer)
        pypi_url, _ = peers.serve("pypi.test", self.pypi.answer)
        settings.REGISTRY_PACKAGE_URLS = {**settings.REGISTRY_PACKAGE_URLS, "npm": npm_url, "pypi": pypi_url}
        settings.REGISTRY_GITHUB_RAW, self.raw_server = peers.serve("raw.test", self.raw.answer)


@pytest.fixture
def hosts(tmp_path: Path, settings: Any) -> Iterator[Hosts]:
    with peers_for(tmp_path, settings) as peers:
        yield Hosts(peers, settings)


@pytest.mark.django_db
def test_readme_of_an_npm_package_is_on_the_page_and_searched(hosts: Hosts, client: Client) -> None:
    hosts.npm.readmes["@acme/slack"] = "# Slack\n\nReads **channels** and frobnicates [docs](docs/use.md).\n"
    server = publish("io.github.acme/slack", packages=[npm("@acme/slack")], repository=GITHUB)
    assert "is being fetched" in client.get("/registry/servers/io.github.acme/slack").content.decode()
    assert readme_fetch(server.pk)
    text = client.get("/registry/servers/io.github.acme/slack").content.decode()
    assert "<h3>Slack</h3>" in text and "<strong>channels</strong>" in text
    assert (
        'href="https://github.com/acme/slack/blob/HEAD/docs/use.md"' in text and 'rel="nofollow noopener ugc"' in text
    )
    assert [row.name for row in find(Search("frobnicates")).rows] == ["io.github.acme/slack"]


@pytest.mark.django_db
def test_a_server_that_names_no_place_for_one_awaits_none(hosts: Hosts, client: Client) -> None:
    publish("io.github.acme/far", packages=[], remotes=[{"type": "sse", "url": "https://far.example.org/"}])
    text = client.get("/registry/servers/io.github.acme/far").content.decode()
    assert "names nothing that could have one" in text and "is being fetched" not in text
    assert text.index("Connect to it") < text.index("README") < text.index("<aside>")  # what there is has its room


@pytest.mark.django_db
def test_readme_of_a_pypi_release_is_of_that_release_and_of_its_kind(hosts: Hosts) -> None:
    hosts.pypi.releases["acme-slack", "1.0.0"] = "Of **1.0.0**"
    server = publish("io.github.acme/slack", packages=[pypi("acme-slack")])
    kept = readme_fetch(server.pk)
    assert kept and kept.html == "<p>Of <strong>1.0.0</strong></p>\n"
    assert kept.source_url.endswith("/project/acme-slack/")


@pytest.mark.django_db
def test_readme_lies_in_the_repository_where_packages_have_none(hosts: Hosts) -> None:
    hosts.raw.files["acme/slack/HEAD/servers/one/README.md"] = b"In the folder"
    hosts.raw.files["acme/slack/HEAD/README.md"] = b"At the top"
    server = publish(
        "io.github.acme/slack", packages=[npm("acme-slack")], repository={**GITHUB, "subfolder": "servers/one"}
    )
    kept = readme_fetch(server.pk)
    assert kept and kept.text == "In the folder"
    assert kept.source_url == "https://github.com/acme/slack/blob/HEAD/servers/one/README.md"


@pytest.mark.django_db
def test_what_is_not_there_is_asked_for_once_and_what_fails_again_later(hosts: Hosts, client: Client) -> None:
    server = publish("io.github.acme/slack", packages=[npm("acme-slack")])
    assert readmes_due(10) == [server.pk]
    kept = readme_fetch(server.pk)
    assert kept and kept.text == "" and kept.again_at is None and readmes_due(10) == []
    text = client.get("/registry/servers/io.github.acme/slack").content.decode()
    assert "none where this site looked" in text and "Is it yours?" in text
    hosts.npm.status = 503
    kept = readme_fetch(server.pk)
    assert kept and kept.again_at is not None
    publish("io.github.acme/slack", "2.0.0", packages=[npm("acme-slack", "2.0.0")])
    assert readmes_due(10) == [server.pk]


@pytest.mark.django_db
def test_readme_that_is_too_large_or_no_text_harms_nobody(hosts: Hosts) -> None:
    hosts.raw.files["acme/slack/HEAD/README.md"] = b"x" * (3 * 1024 * 1024)
    server = publish("io.github.acme/slack", repository=GITHUB)
    kept = readme_fetch(server.pk)
    assert kept and kept.text == ""
    hosts.raw.files["acme/slack/HEAD/README.md"] = b"\xff\xfe\0\x01 some words"
    kept = readme_fetch(server.pk)
    assert kept and "some words" in kept.html and "\0" not in kept.text
    assert SearchEntry.objects.get().name == "io.github.acme/slack"


@pytest.mark.parametrize(
    "document",
    [
        {"packages": [npm("../../x")]},
        {"packages": [npm("a/b/c")]},
        {"packages": [{**npm("fine"), "registryBaseUrl": "https://evil.example"}]},
        {"packages": [{**npm("fine"), "registryType": "mcpb", "identifier": "https://evil.example/x.mcpb"}]},
        {"packages": [pypi("x/../../y")]},
        {"repository": {"url": "https://evil.example/acme/slack"}},
        {"repository": {"url": "https://github.com@evil.example/acme/slack"}},
        {"repository": {"url": "http://github.com/acme/slack"}},
        {"repository": {"url": "https://github.com/../slack"}},
        {"repository": {"url": "https://github.com/acme/.."}},
        {"repository": {"url": "https://[/acme/slack"}},
    ],
)
def test_no_address_is_made_of_what_no_service_gave_out(document: dict[str, Any]) -> None:
    found = sources(read({"name": "a.b/c", **document}), {"npm": "https://n.test", "pypi": "https://p.test"},
                    "https://raw.test", ["github.com"])  # fmt: skip
    assert found == []


def test_folder_that_leads_out_of_a_repository_is_left_out() -> None:
    document = read({"name": "a.b/c", "repository": {**GITHUB, "subfolder": "../../other/repository"}})
    found = sources(document, {}, "https://raw.test", ["github.com"])
    assert [one.url for one in found] == ["https://raw.test/acme/slack/HEAD/README.md"]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](javascript:alert(1))",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt&colon;alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:x)",
        "<a href=' javascript:alert(1)'>x</a>",
        "<a href='java\tscript:alert(1)'>x</a>",
        "<svg><script>alert(1)</script></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<details open ontoggle=alert(1)>x</details>",
        "<form action=https://evil.example><input name=password><button>Sign in</button></form>",
        "<iframe src=https://evil.example></iframe><object data=x></object><embed src=x>",
        "<style>body{display:none}</style><p style='position:fixed;inset:0' class='button' id='search'>x</p>",
        "<base href=https://evil.example><meta http-equiv=refresh content='0;url=https://evil.example'>",
        "<a href='https://good.example@evil.example/'>x</a>",
        "<template><script>alert(1)</script></template>",
        "<link rel=stylesheet href=https://evil.example/x.css>",
        "<video src=x onerror=alert(1)></video><audio src=x></audio>",
        "```html\n</code></pre><script>alert(1)</script>\n```",
        "<h1 onclick=alert(1) data-controller=submit>x</h1>",
        "<p xmlns:x='a' x:onclick='alert(1)'>x</p>",
        "&lt;h1&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)
def test_nothing_in_a_readme_acts(text: str) -> None:
    for base in ("", "https://github.com/acme/slack/blob/HEAD/"):
        html = as_html(text, base=base)
        lowered = html.lower()
        for forbidden in ("<script", "<img", "<svg", "<iframe", "<form", "<input", "<style", "<meta", "<base", "<link"):
            assert forbidden not in lowered, html
        for forbidden in (" on", "style=", "class=", "id=", "data-"):
            assert not any(forbidden in tag.partition(">")[0] for tag in lowered.split("<")[1:]), html
        for forbidden in ('href="javascript', 'href="data', 'href="vbscript', "@evil.example"):
            assert forbidden not in lowered, html


def test_text_that_is_no_markdown_stays_text() -> None:
    assert as_html("Title\n=====\n<b>`x`</b>", is_markdown=False) == "<pre>Title\n=====\n&lt;b&gt;`x`&lt;/b&gt;</pre>"


def test_characters_that_deceive_are_taken_out() -> None:
    html = as_html("pay\u202eload \u200bhidden\U000e0041\U000e0042 \ufefffine 👩\u200d🔬")
    assert html == "<p>payload hidden fine 👩\u200d🔬</p>\n"


@pytest.mark.parametrize(
    "piece", ["[", "*a_ ", "<", "`", "![[](", "> ", "&#", "<a ", "_*_", "- ", "|a", "\\", "<!--", "[a](<"]
)
def test_readme_made_to_be_slow_is_rendered_in_time(piece: str) -> None:
    began = time.thread_time()
    as_html(piece * (MAX_CHARACTERS // len(piece)))
    assert time.thread_time() - began < 8, piece


@pytest.mark.django_db
def test_page_shows_the_readme_it_has_while_another_is_fetched(client: Client) -> None:
    server = publish("io.github.acme/slack", "2.0.0")
    Readme.objects.create(server=server, version="1.0.0", text="Old", html="<p>The old one</p>", source_url="")
    text = client.get("/registry/servers/io.github.acme/slack").content.decode()
    assert "<p>The old one</p>" in text


@pytest.mark.django_db
def test_one_that_is_fetched_again_in_vain_stays(hosts: Hosts, client: Client) -> None:
    hosts.npm.readmes["acme-slack"] = "Good words"
    server = publish("io.github.acme/slack", packages=[npm("acme-slack")])
    readme_fetch(server.pk)
    Readme.objects.update(again_at=clock.now())  # as migration 0010 says of those without pictures
    assert readmes_due(10) == [server.pk]
    hosts.npm.status = 503
    readme_fetch(server.pk)
    assert "Good words" in client.get("/registry/servers/io.github.acme/slack").content.decode()
    assert readmes_due(10) == []
