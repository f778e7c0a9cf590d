"""The *Host* button of an entry: one form with what it needs, its secrets sealed; and what the run teaches search."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from hosting.configuration.given import settings_of
from hosting.looks.entry_facts import entry_seen
from hosting.models import Deployment, DeploymentVersion
from hosting.remotes.challenges import challenge_note
from oauth.outbound.challenges import Challenge
from registry.models import SeenServer
from registry.search.finding import Search, find
from tests.factories import make_deployment, make_user
from tests.registry.entries import npm, publish, remote

NAME = "org.example/weather"
SECRET = "hunter2-and-more"
INPUTS = [
    {"name": "API_KEY", "description": "From <b>example.org</b>", "isRequired": True, "isSecret": True},
    {"name": "CITY", "default": "Graz"},
]
pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def signed_in(client: Client, user: User) -> Client:
    client.force_login(user)
    publish(NAME, "1.0.0", title="Weather", packages=[npm("@example/weather", environmentVariables=INPUTS)])
    return client


def given(user: User, **more: str) -> dict[str, str]:
    reference = f"registry:{NAME}"
    base = {"reference": reference, "name": "weather", "owner": user.username.lower(), "access": "private"}
    return {**base, "entry": reference, "v0": SECRET, "v1": "Wien", **more}


def test_host_button_leads_to_a_form_with_what_the_entry_needs(signed_in: Client) -> None:
    page = signed_in.get(f"/registry/servers/{NAME}").content.decode()
    button = re.search(r'class="button button-primary" href="(/servers/new[^"]*)"', page)
    assert button is not None
    text = signed_in.get(unescape(button[1])).content.decode()
    assert "npm:@example/weather@1.0.0" in text and "API_KEY" in text and "Default: Graz" in text
    assert 'value="weather"' in text and "<b>example.org</b>" not in text


def test_only_what_matters_is_asked_for(signed_in: Client) -> None:
    """The key; the city has a value already, and the name is the entry's."""
    text = signed_in.get("/servers/new", {"reference": f"registry:{NAME}"}).content.decode()
    before, _, folded = text.partition('<details class="host-more"')
    assert "API_KEY" in before and "CITY" not in before and "CITY" in folded
    assert 'name="name"' not in before and 'class="host-more" open' not in text


def test_what_is_wrong_in_a_folded_field_is_shown(signed_in: Client, user: User) -> None:
    text = signed_in.post("/servers/new", given(user, name="a/b")).content.decode()
    assert '<details class="host-more" open>' in text


def test_the_suggested_name_is_free(signed_in: Client, user: User) -> None:
    make_deployment(user, "weather")
    make_deployment(user, "weather-report")
    text = signed_in.get("/servers/new", {"reference": f"registry:{NAME}"}).content.decode()
    assert 'value="weather-2"' in text


def test_entry_is_hosted_from_the_form_and_its_secret_sealed(signed_in: Client, user: User) -> None:
    answer = signed_in.post("/servers/new", given(user))
    assert answer.status_code == 302, answer.content.decode()
    deployment = Deployment.objects.get()
    version = DeploymentVersion.objects.get()
    assert (deployment.reference, version.registry_name) == ("npm:@example/weather@1.0.0", NAME)
    assert settings_of(deployment).values["env:API_KEY"] == SECRET
    assert deployment.inputs["values"] == {"env:CITY": "Wien"} and SECRET not in str(deployment.inputs)
    for path in (answer["Location"], answer["Location"] + "settings"):
        assert SECRET not in signed_in.get(path).content.decode()


def test_reference_typed_by_hand_shows_the_fields_first(signed_in: Client, user: User) -> None:
    typed = {name: value for name, value in given(user).items() if name not in ("entry", "v0", "v1")}
    answer = signed_in.post("/servers/new", typed)
    assert answer.status_code == 400 and "API_KEY" in answer.content.decode()
    assert not Deployment.objects.exists()


@pytest.mark.parametrize(
    "more",
    [
        {"reference": "registry:no.such/server"},
        {"reference": "registry:x"},
        {"owner": "somebody-else"},
        {"name": "../x"},
    ],
)
def test_what_can_not_be_hosted_is_told_and_leaves_nothing(signed_in: Client, user: User, more: dict[str, str]) -> None:
    answer = signed_in.post(
        "/servers/new", given(user, **more, **({"entry": r} if (r := more.get("reference")) else {}))
    )
    assert answer.status_code == 400
    assert SECRET not in answer.content.decode()  # a secret is never sent back
    assert not Deployment.objects.exists()


def test_unknown_entry_in_the_address_says_so(signed_in: Client) -> None:
    assert "has no server no.such/one" in signed_in.get("/servers/new?reference=registry:no.such/one").content.decode()
    assert signed_in.get("/servers/new?reference=registry:a%00b/c").status_code == 200


def test_hosting_needs_an_account(client: Client) -> None:
    assert client.get(f"/servers/new?reference=registry:{NAME}").status_code == 302


def _hosted(signed_in: Client, user: User, access: str, **more: Any) -> Deployment:
    signed_in.post("/servers/new", given(user, access=access))
    deployment = Deployment.objects.get()
    deployment.current_version = deployment.versions.get()
    deployment.save(update_fields=["current_version"])
    return deployment


def test_tools_of_what_was_run_are_found_and_only_public_hosting_is_told(signed_in: Client, user: User) -> None:
    deployment = _hosted(signed_in, user, "private")
    tools: list[Any] = [{"name": "predict_thunder", "execution": {"taskSupport": "optional"}}, {"name": 7}]
    entry_seen(deployment.pk, tools, "2026-07-28")
    assert [row.name for row in find(Search("predict thunder")).rows] == [NAME]
    shown = find(Search("weather")).rows[0].facet_names
    assert {"uses:tasks", "revision:2026-07-28"} <= set(shown) and "hosted:here" not in shown
    Deployment.objects.update(access="public")
    entry_seen(deployment.pk, tools, "2026-07-28")
    assert "hosted:here" in find(Search("weather")).rows[0].facet_names


def test_private_server_that_no_entry_names_is_told_to_nobody(signed_in: Client, user: User) -> None:
    deployment = _hosted(signed_in, user, "private")
    DeploymentVersion.objects.update(registry_name="")
    entry_seen(deployment.pk, [{"name": "x"}], "2026-07-28")
    publish("org.example/remote", remotes=[remote("https://r.example.org/mcp")])
    assert not SeenServer.objects.exists()


@pytest.mark.parametrize(("metadata", "kind"), [("https://r.example.org/.well-known/x", "oauth"), ("", "none")])
def test_remote_that_wants_oauth_is_found_by_it(user: User, metadata: str, kind: str) -> None:
    url = "https://r.example.org/mcp"
    publish("org.example/remote", remotes=[remote(url)])
    deployment = make_deployment(user, registry_name="org.example/remote")
    Deployment.objects.update(kind="remote", reference=f"remote:{url}")
    challenge_note(deployment.pk, Challenge(metadata_url=metadata, scopes=("read",)))
    assert f"sign_in:{kind}" in find(Search()).rows[0].facet_names
