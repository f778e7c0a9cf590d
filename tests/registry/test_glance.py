"""What the first page of a server tells at a glance: the way to begin it, what it asks for, where its package is."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from registry.install.glance import glance
from registry.models import SeenServer
from registry.templatetags.catalogue import proof
from tests.registry.entries import npm, publish, pypi, remote

KEY = {"name": "API_KEY", "isRequired": True, "isSecret": True}


def test_first_way_that_needs_no_warning_is_the_one_to_begin_with() -> None:
    elsewhere = npm("@acme/slack", registryBaseUrl="https://npm.example.org")
    found = glance({"packages": [elsewhere, "junk", pypi("acme-slack", environmentVariables=[KEY])]})
    assert "uvx" in found.command and "acme-slack" in found.command and not found.is_remote
    assert [one.name for one in found.asked] == ["API_KEY"] and '"${API_KEY}"' in found.command
    assert [source.page for source in found.sources] == ["", "https://pypi.org/project/acme-slack/"]


def test_remote_is_an_address() -> None:
    found = glance({"remotes": [remote("https://mcp.example.org/{team}", variables={"team": {}})]})
    assert (found.command, found.is_remote) == ("https://mcp.example.org/{team}", True)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"packages": "npm", "remotes": 5},
        {"packages": [npm("../../x")]},
        {"packages": [npm("x", runtimeArguments=[{"type": "named", "name": "--privileged"}], registryType="oci")]},
        {"packages": [{"identifier": 5, "registryType": "npm"}]},
    ],
)
def test_what_could_not_be_shown_without_more_words_is_not_begun_here(document: Any) -> None:
    assert glance(document).command == "" and not any(source.page for source in glance(document).sources)


@pytest.mark.django_db
def test_first_page_says_what_is_known(client: Client) -> None:
    publish("io.github.acme/slack", packages=[npm("@acme/slack")])
    publish("io.github.acme/slack", "2.0.0", packages=[npm("@acme/slack", "2.0.0", environmentVariables=[KEY])])
    SeenServer.objects.create(reference="npm:@acme/slack", tools=["send", "read"], revisions=["2025-11-25"])
    text = client.get("/registry/servers/io.github.acme/slack").content.decode()
    assert 'href="https://www.npmjs.com/package/@acme/slack" rel="nofollow noopener ugc"' in text
    assert "2025-11-25" in text and '/-/tools">2</a>' in text and '/-/versions">2</a>' in text
    assert "npx -y @acme/slack@2.0.0" in text and "<code>API_KEY</code>" in text
    earlier = client.get("/registry/servers/io.github.acme/slack?version=1.0.0").content.decode()
    assert "npx -y @acme/slack@1.0.0" in earlier and "<code>API_KEY</code>" not in earlier


@pytest.mark.parametrize(
    ("verified_by", "words"),
    [
        ("dns:example.org", "DNS of example.org"),
        ("github-at:alice", "the account alice at GitHub"),
        ("official", "official"),
        ("dns:", "dns:"),
        ("later:kind", "later:kind"),
    ],
)
def test_proofs_are_told_in_words(verified_by: str, words: str) -> None:
    assert proof(verified_by) == words
