"""Publishing from the pages: what the form writes, what it says of it, and what proves a namespace there."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Name, User
from accounts.services import user_create
from events.actors import OPERATOR
from registry.drafting.checking import wrongs
from registry.drafting.documents import document_of
from registry.drafting.forms import MAX_SETTINGS
from registry.models import BlockedNamespace, HeldName, NamespaceGrant, ServerVersion
from registry.proofs.challenges import record
from registry.server_json import validation
from tests.registry.entries import publish
from tests.registry.fakes.github import CLIENT_ID, FakeGitHub, FakeUser
from tests.registry.fakes.peers import Peers, peers_for
from tests.registry.fakes.web import Response

pytestmark = pytest.mark.django_db
FORM = {
    "name": "org.example/weather",
    "title": "Weather",
    "description": "Tells the weather",
    "version": "1.0.0",
    "package": "npm",
    "identifier": "@example/weather",
    "settings-TOTAL_FORMS": "2",
    "settings-INITIAL_FORMS": "0",
    "settings-0-where": "environment",
    "settings-0-name": "API_KEY",
    "settings-0-is_secret": "on",
    "settings-0-is_required": "on",
    "settings-0-default": "hunter2",
    "settings-1-where": "argument",
    "settings-1-name": "--city",
    "settings-1-default": "Graz",
}
PAGE, PROVE = "/registry/publish/", "/registry/publish/prove"


@pytest.fixture
def mary() -> User:
    return user_create(actor=OPERATOR, name="mary", password="calm harbour at seven")


@pytest.fixture
def signed_in(client: Client, mary: User) -> Client:
    client.force_login(mary)
    return client


@pytest.fixture
def peers(tmp_path: Path, settings: Any) -> Iterator[Peers]:
    with peers_for(tmp_path, settings) as made:
        yield made


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def ready(signed_in: Client, **more: str) -> None:
    answer = signed_in.post(PAGE, {**FORM, **more, "action": "next"})
    assert answer.status_code == 302 and answer["Location"] == PROVE, text_of(answer)


def test_publishing_needs_an_account(client: Client) -> None:
    for path in (PAGE, PROVE):
        assert client.get(path).status_code == 302
        assert client.post(path, {"action": "publish"}).status_code == 302
    assert reverse("registry:publish") in client.get("/registry/").content.decode()


def test_form_writes_a_server_json(signed_in: Client) -> None:
    text = text_of(signed_in.post(PAGE, {**FORM, "action": "check"}))
    assert '"registryType": "npm"' in text and '"runtimeHint": "npx"' in text
    assert '"isSecret": true' in text and '"type": "named"' in text and '"default": "Graz"' in text
    assert "in order" in text
    shown = re.search(r"<code data-copy-source>({.*?)</code>", signed_in.get(PAGE).content.decode(), re.DOTALL)
    assert shown and "hunter2" not in shown[1]  # a secret's default is not written
    assert 'value="@example/weather"' in text_of(signed_in.get(PAGE))  # the draft stays


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"name": ""}, "name", "Write a name"),
        ({"name": "weather"}, "name", "one slash"),
        ({"description": ""}, "description", "Say what it does"),
        ({"description": "x" * 200}, "description", "100"),
        ({"version": "^1.0"}, "version", "range"),
        ({"version": "^1.0", "description": "", "name": ""}, "version", "range"),
        ({"version": "latest"}, "version", "reserved"),
        ({"website": "javascript:alert(1)"}, "website", ""),
        ({"package": "", "identifier": ""}, "package", "nobody can use it"),
        ({"identifier": "has spaces"}, "identifier", "spaces"),
        ({"remote": "sse", "remote_url": "nowhere"}, "remote_url", ""),
        ({"repository": "https://github.com/a/b", "subfolder": "../x"}, "subfolder", ""),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    signed_in: Client, given: dict[str, str], field: str, words: str
) -> None:
    answer = signed_in.post(PAGE, {**FORM, **given, "action": "next"})
    assert answer.status_code == 400
    found = re.search(rf'<li class="is-error"><a href="#id_{field}">.*?</li>', answer.content.decode(), re.DOTALL)
    assert found and words in html.unescape(found[0]), text_of(answer)
    control = re.search(rf'<(?:input|textarea|select)[^>]* id="id_{field}"[^>]*>', answer.content.decode())
    assert control and 'aria-invalid="true"' in control[0], control  # and the link leads somewhere
    assert f"id_{field}_error" in control[0].partition("aria-describedby=")[2]
    told = re.search(rf'<ul class="errorlist" id="id_{field}_error"><li>(.*?)</li>', answer.content.decode(), re.DOTALL)
    assert told and words in html.unescape(told[1])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"settings-1-name": "--my city"}, "settings-1-name"),
        ({"settings-1-default": "--city Graz"}, "settings-1-default"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_at_its_row(signed_in: Client, given: dict[str, str], field: str) -> None:
    answer = signed_in.post(PAGE, {**FORM, **given, "action": "next"})
    assert answer.status_code == 400
    assert f'<ul class="errorlist" id="id_{field}_error">' in answer.content.decode()
    assert f'<a href="#id_{field}">Setting {({**FORM, **given})["settings-1-name"]}</a>' in answer.content.decode()


@pytest.mark.parametrize("kind", ["npm", "pypi", "oci", "nuget", "cargo", "mcpb"])
def test_every_kind_of_package_that_is_offered_can_be_published(kind: str) -> None:
    identifier = {
        "oci": "ghcr.io/example/weather:1.0.0",
        "mcpb": "https://github.com/example/weather/releases/download/v1/weather.mcpb",
    }.get(kind, "weather")
    values = {**FORM, "package": kind, "identifier": identifier, "file_sha256": "A" * 64}
    document = document_of(values, [])
    assert validation.binding(document) == []
    assert [one for one in wrongs(document, None) if one.is_error] == []


def test_rows_that_are_too_many_or_broken_are_refused(signed_in: Client) -> None:
    for more in (
        {"settings-TOTAL_FORMS": "9999"},
        {"settings-TOTAL_FORMS": "x"},
        {"package": "floppy"},
        {"name": "x" * 9999},
    ):
        assert signed_in.post(PAGE, {**FORM, **more, "action": "next"}).status_code == 400
    assert signed_in.post(PAGE, {"action": "next"}).status_code == 400
    assert signed_in.get(PROVE).status_code == 302  # nothing to prove yet


def test_namespace_of_the_operators_word_needs_no_proof(signed_in: Client, mary: User) -> None:
    NamespaceGrant.objects.create(namespace="org.example", owner=Name.objects.get(user=mary))
    assert 'value="org.example/"' in signed_in.get(PAGE).content.decode()
    ready(signed_in)
    assert "is proven" in text_of(signed_in.get(PROVE))
    answer = signed_in.post(PROVE, {"action": "publish"})
    assert answer.status_code == 302 and answer["Location"] == "/registry/servers/org.example/weather"
    made = ServerVersion.objects.get(name="org.example/weather")
    assert made.is_latest and made.server.verified_by == "site:mary"
    assert 'value="@example/weather"' not in signed_in.get(PAGE).content.decode()  # the draft is done with
    ready(signed_in)
    again = signed_in.post(PROVE, {"action": "publish"})
    assert again.status_code == 400 and "duplicate version" in text_of(again)


@pytest.mark.parametrize("action", ["dns", "http"])
def test_domain_is_proven_by_a_text_that_is_for_this_account(
    signed_in: Client, mary: User, peers: Peers, action: str
) -> None:
    wanted = record(mary.pk, "example.org")
    files: dict[str, bytes] = {}
    if action == "http":
        try:
            peers.serve_domain("example.org", lambda asked: Response(200, files.get(asked.path, b"")))
        except PermissionError:
            pytest.skip("only root may listen on port 443")
    ready(signed_in)
    assert wanted in text_of(signed_in.get(PROVE))
    other = user_create(actor=OPERATOR, name="mallory", password="calm harbour at seven")

    def put(text: str) -> None:
        files["/.well-known/slipway-proof"] = text.encode()
        peers.dns.put("example.org", "TXT", text)

    put(record(other.pk, "example.org"))
    refused = signed_in.post(PROVE, {"action": action, "domain": "example.org"})
    assert refused.status_code == 401 or refused.status_code == 400, refused.status_code
    assert "another account" in text_of(refused)
    assert signed_in.post(PROVE, {"action": "publish"}).status_code == 400
    put(wanted)
    assert signed_in.post(PROVE, {"action": action, "domain": "example.org"}).status_code == 302
    assert signed_in.post(PROVE, {"action": "publish"}).status_code == 302
    assert ServerVersion.objects.get().server.verified_by == f"{action}:example.org"


def test_domain_of_another_namespace_is_not_looked_up(signed_in: Client, peers: Peers) -> None:
    ready(signed_in)
    for domain in ("evil.example", "org", "", "example.org.evil.example"):
        assert signed_in.post(PROVE, {"action": "dns", "domain": domain}).status_code == 400
    assert signed_in.post(PROVE, {"action": "nothing"}).status_code == 400


def test_github_account_is_proven_by_a_code(signed_in: Client, peers: Peers, settings: Any) -> None:
    github = FakeGitHub()
    settings.REGISTRY_GITHUB_API, _ = peers.serve("api.github.test", github.answer)
    settings.REGISTRY_GITHUB_URL = settings.REGISTRY_GITHUB_API
    settings.REGISTRY_GITHUB_CLIENT_ID = CLIENT_ID
    ready(signed_in, name="io.github.alice/weather")
    assert signed_in.post(PROVE, {"action": "github_done"}).status_code in (400, 401)  # not begun
    signed_in.post(PROVE, {"action": "github"})
    waiting = signed_in.post(PROVE, {"action": "github_done"})
    assert "not entered" in text_of(waiting)
    github.at_the_browser = FakeUser("alice", 7)
    signed_in.post(PROVE, {"action": "github"})
    assert signed_in.post(PROVE, {"action": "github_done"}).status_code == 302
    assert signed_in.post(PROVE, {"action": "publish"}).status_code == 302
    assert ServerVersion.objects.get().server.verified_by == "github-at:alice"
    ready(signed_in, name="io.github.bob/weather")  # what is proven is Alice's alone
    assert "another namespace" in text_of(signed_in.get(PROVE))
    assert signed_in.post(PROVE, {"action": "publish"}).status_code == 400


def test_block_counts_for_what_was_proven_before(signed_in: Client, mary: User) -> None:
    NamespaceGrant.objects.create(namespace="org.example", owner=Name.objects.get(user=mary))
    ready(signed_in)
    BlockedNamespace.objects.create(namespace="org.example")
    assert signed_in.post(PROVE, {"action": "publish"}).status_code == 400
    assert not ServerVersion.objects.exists()


def test_name_that_looks_like_another_is_held_and_its_page_linked(signed_in: Client, mary: User) -> None:
    publish("org.exarnple/weather")
    NamespaceGrant.objects.create(namespace="org.example", owner=Name.objects.get(user=mary))
    ready(signed_in)
    answer = signed_in.post(PROVE, {"action": "publish"})
    assert answer.status_code == 403 and 'href="/registry/review/org.example/weather"' in answer.content.decode()
    assert HeldName.objects.get().resembles == "org.exarnple/weather"


def test_words_of_a_draft_become_no_markup(signed_in: Client) -> None:
    words = '"><script>alert(1)</script>'
    given = dict.fromkeys(("name", "title", "description", "version", "website", "repository", "identifier"), words)
    given |= {"settings-0-name": words, "settings-0-description": words, "remote": "sse", "remote_url": words}
    for action in ("check", "next"):
        assert "<script>alert" not in signed_in.post(PAGE, {**FORM, **given, "action": action}).content.decode()
    assert "<script>alert" not in signed_in.get(PAGE).content.decode()


def test_what_a_schema_says_in_its_own_words_is_said_in_ours(signed_in: Client) -> None:
    given = {"package": "mcpb", "identifier": "", "file_sha256": "abc"}
    text = text_of(signed_in.post(PAGE, {**FORM, **given, "action": "check"}))
    assert "Write its name there." in text and "64 hexadecimal digits (0–9, a–f)" in text and "pattern" not in text


def test_settings_get_another_row_up_to_a_limit(signed_in: Client) -> None:
    for count, expected in [("1", 2), ("2", 3), (str(MAX_SETTINGS), MAX_SETTINGS)]:
        answer = signed_in.post(PAGE, {**FORM, "settings-TOTAL_FORMS": count, "action": "another"})
        assert answer.content.decode().count('class="publish-setting"') == expected
        assert f'name="settings-TOTAL_FORMS" value="{expected}"' in answer.content.decode()
    for count in ("", "x", "²"):
        assert signed_in.post(PAGE, {**FORM, "settings-TOTAL_FORMS": count, "action": "another"}).status_code == 400
    assert signed_in.get(PAGE).content.decode().count('class="publish-setting"') == MAX_SETTINGS  # what was kept


def folds(answer: Any) -> list[bool]:
    """Whether each folded section stands open, in the order of the page."""
    return [bool(more) for more in re.findall(r'<details class="[^"]*fold"( open)?>', answer.content.decode())]


def test_folded_sections_open_for_what_they_hold_and_what_is_wrong_there(signed_in: Client) -> None:
    assert folds(signed_in.get(PAGE)) == [False, False]
    plain = {**FORM, "title": ""}
    plain = {name: value for name, value in plain.items() if not re.match(r"settings-\d+-", name)}
    for given, opened in [
        ({}, [False, False]),
        ({"website": "https://example.org"}, [True, False]),
        ({"website": "http://[broken"}, [True, False]),
        ({"title": "x" * 101}, [True, False]),
        ({"settings-0-name": "KEY"}, [False, True]),
        ({"settings-0-name": "x" * 201}, [False, True]),
    ]:
        answer = signed_in.post(PAGE, {**plain, **given, "action": "check"})
        assert folds(answer) == opened, given
        assert answer.content.decode().count("field-required") == 3 and "optional" not in text_of(answer)
