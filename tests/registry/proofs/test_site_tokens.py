"""Namespaces that the operator gave to accounts and organizations of this site, and their API tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import Membership, Name, Organization, User
from events.actors import OPERATOR
from oauth.api_tokens import api_token_issue, api_token_revoke
from registry.models import Server
from registry.proofs.namespaces import namespace_block, namespace_grant
from tests.registry.fakes.github import FakeGitHub
from tests.registry.fakes.peers import Peers
from tests.registry.proofs.asking import cause, exchange, permissions, publish
from tests.registry.site import Site

PUBLISH = ("registry:publish",)


def person(**more: Any) -> User:
    made: User = User.objects.create(username=f"u{uuid4().hex[:20]}", **more)
    return made


def token_of(user: User, scopes: Sequence[str] = PUBLISH) -> str:
    return api_token_issue(actor=OPERATOR, user=user, scopes=scopes, ttl_seconds=600)[1]


def organization(**roles: User) -> Name:
    made = Organization.objects.create()
    for role, user in roles.items():
        Membership.objects.create(organization=made, user=user, role=role)
    name = f"o{uuid4().hex[:20]}"
    return Name.objects.create(display=name, folded=name, organization=made)


def test_token_publishes_where_its_user_was_given_a_namespace(site: Site) -> None:
    alice = person()
    namespace_grant(actor=OPERATOR, namespace="org.example", owner=alice.name)
    token = token_of(alice)
    assert publish(site, token, "org.example/weather").status_code == 200
    assert Server.objects.get().verified_by == f"site:{alice.username}"
    for other in ("org.example.team/weather", "org.Example/weather", "org.other/weather"):
        refused = publish(site, token, other)
        assert refused.status_code == 403 and "org.example/*" in refused.json()["detail"]


def test_namespaces_below_are_given_apart(site: Site) -> None:
    alice = person()
    namespace_grant(actor=OPERATOR, namespace="org.example", owner=alice.name, with_below=True)
    assert publish(site, token_of(alice), "org.example.team/weather").status_code == 200


def test_owners_speak_for_their_organization_and_members_do_not(site: Site) -> None:
    alice, bob, mallory = person(), person(), person()
    acme = organization(owner=alice, member=bob)
    namespace_grant(actor=OPERATOR, namespace="com.acme", owner=acme)
    assert publish(site, token_of(alice), "com.acme/weather").status_code == 200
    for stranger in (bob, mallory):
        assert publish(site, token_of(stranger), "com.acme/weather", "2.0.0").status_code == 403


def test_who_leaves_speaks_for_it_no_longer(site: Site) -> None:
    alice = person()
    acme = organization(owner=alice)
    namespace_grant(actor=OPERATOR, namespace="com.acme", owner=acme)
    token = token_of(alice)
    assert publish(site, token, "com.acme/weather").status_code == 200
    Membership.objects.filter(user=alice).delete()
    assert publish(site, token, "com.acme/weather", "2.0.0").status_code == 403


def test_official_command_takes_it_for_github_s(site: Site, github: FakeGitHub, peers: Peers) -> None:
    """`mcp-publisher login github --token slipway_api_…`: it is exchanged here, and GitHub never sees it."""
    alice = person()
    namespace_grant(actor=OPERATOR, namespace="org.example", owner=alice.name)
    answer = exchange(site, "github-at", github_token=token_of(alice))
    assert permissions(answer) == ["publish org.example/*"]
    assert publish(site, answer.json()["registry_token"], "org.example/weather").status_code == 200
    assert "unknown, has expired" in cause(exchange(site, "github-at", github_token="slipway_api_unknown"))
    assert not peers.dns.asked


def test_token_needs_the_scope(site: Site) -> None:
    alice = person()
    namespace_grant(actor=OPERATOR, namespace="org.example", owner=alice.name)
    token = token_of(alice, ["tasks:read"])
    assert "registry:publish" in cause(publish(site, token, "org.example/weather"))
    assert "registry:publish" in cause(exchange(site, "github-at", github_token=token))


def test_revoked_token_counts_no_longer(site: Site) -> None:
    alice = person()
    namespace_grant(actor=OPERATOR, namespace="org.example", owner=alice.name)
    row, token = api_token_issue(actor=OPERATOR, user=alice, scopes=PUBLISH, ttl_seconds=600)
    api_token_revoke(actor=OPERATOR, token_id=row.pk)
    assert "revoked" in cause(publish(site, token, "org.example/weather"))


def test_blocked_namespace_stops_its_owner_too(site: Site) -> None:
    alice = person()
    namespace_grant(actor=OPERATOR, namespace="org.example", owner=alice.name)
    namespace_block(actor=OPERATOR, namespace="ORG.example")
    assert "blocked" in cause(publish(site, token_of(alice), "org.example/weather"))


def test_operators_correct_anything_and_others_nothing(site: Site) -> None:
    alice, admin = person(), person(is_superuser=True)
    namespace_grant(actor=OPERATOR, namespace="org.example", owner=alice.name)
    made = publish(site, token_of(alice), "org.example/weather").json()["server"]
    path = "/v0/servers/org.example%2Fweather/versions/1.0.0"
    for user, status in ((alice, 403), (admin, 200)):
        token = token_of(user, [*PUBLISH, "registry:edit"])
        changed = {**made, "description": "What it really does"}
        answer = site.request("PUT", path, json=changed, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status, answer.text


def test_token_of_an_endpoint_or_nonsense_opens_nothing(site: Site) -> None:
    for token in ("x", "a.b.c", "slipway_api_", "é"):
        headers = {"Authorization": f"Bearer {token}".encode()}
        assert site.request("POST", "/v0/publish", json={}, headers=headers).status_code in (401, 422)
        cause(publish(site, token.encode("ascii", "replace").decode(), "org.example/weather"))


# --- nobody


def test_anonymous_publishing_is_not_there(site: Site) -> None:
    for version in ("v0", "v0.1"):
        assert site.request("POST", f"/{version}/auth/none").status_code == 404


def test_anonymous_publishing_where_it_is_switched_on(site: Site, settings: Any) -> None:
    settings.REGISTRY_ANONYMOUS = True
    answer = site.request("POST", "/v0/auth/none")
    space = "io.modelcontextprotocol.anonymous"
    assert permissions(answer) == [f"publish {space}/*", f"edit {space}/*"]
    token = answer.json()["registry_token"]
    assert publish(site, token, f"{space}/weather").status_code == 200
    assert publish(site, token, "io.modelcontextprotocol/weather").status_code == 403


def test_check_refuses_it_on_a_site_that_others_reach(settings: Any) -> None:
    settings.REGISTRY_ANONYMOUS = True
    assert not [each for each in run_checks() if each.id == "registry.E001"]
    settings.PUBLIC_URL = type(settings.PUBLIC_URL)("https://slipway.example", "slipway.example", True, False)
    assert [each for each in run_checks() if each.id == "registry.E001"]


# --- the operator's command


def test_operator_gives_shows_and_takes_back(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    alice = person()
    token = token_of(alice)
    call_command("namespace", "grant", "org.example", alice.username, "--below")
    call_command("namespace", "block", "org.spam", "--reason", "spam")
    call_command("namespace", "list")
    shown = capsys.readouterr().out
    assert f"org.example and below: {alice.username}" in shown and "org.spam: blocked. spam" in shown
    assert publish(site, token, "org.example.team/weather").status_code == 200
    call_command("namespace", "unblock", "org.spam")
    call_command("namespace", "withdraw", "org.example", alice.username)
    assert publish(site, token, "org.example.team/weather", "2.0.0").status_code == 403


@pytest.mark.parametrize(
    "words",
    [
        ["grant"], ["grant", "org.example"], ["grant", "org.example", "nobody-of-that-name"], ["grant", "org/x", "x"],
        ["block", "*"], ["unblock", "org.example"], ["release", "io.github.nobody"], ["withdraw", "org.example", "x"],
    ],
)  # fmt: skip
def test_operator_is_told_what_is_wrong(site: Site, words: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("namespace", *words)


def test_key_is_rotated_while_the_site_runs(site: Site, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.REGISTRY_ANONYMOUS = True
    name = "io.modelcontextprotocol.anonymous/weather"
    before = site.request("POST", "/v0/auth/none").json()["registry_token"]
    call_command("rotate_registry_key")
    assert publish(site, before, name).status_code == 200
    call_command("rotate_registry_key", "--now")
    assert len(capsys.readouterr().out.split()) == 2
    assert "Log in again" in cause(publish(site, before, name, "2.0.0"))
    after = site.request("POST", "/v0/auth/none").json()["registry_token"]
    assert publish(site, after, name, "2.0.0").status_code == 200
