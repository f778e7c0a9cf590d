"""GitHub access tokens: one's own name, and organizations that one owns."""

from __future__ import annotations

from typing import Any

import pytest

from events.actors import OPERATOR
from registry.models import NamespaceHolder
from registry.proofs.namespaces import namespace_block, namespace_release
from tests.registry.fakes.github import CLIENT_ID, FakeGitHub, FakeUser
from tests.registry.fakes.peers import Peers
from tests.registry.proofs.asking import cause, exchange, permissions, publish
from tests.registry.site import Site


def log_in(site: Site, github: FakeGitHub, user: FakeUser, **more: Any) -> Any:
    return exchange(site, "github-at", github_token=github.token(user, **more))


def test_account_may_publish_under_its_name(site: Site, github: FakeGitHub) -> None:
    answer = log_in(site, github, FakeUser("alice", 1))
    assert permissions(answer) == ["publish io.github.alice/*"]
    token = answer.json()["registry_token"]
    assert publish(site, token, "io.github.alice/weather").status_code == 200
    refused = publish(site, token, "io.github.bob/weather")
    assert refused.status_code == 403
    assert "io.github.alice/*" in refused.json()["detail"] and "io.github.bob/weather" in refused.json()["detail"]


def test_owner_of_an_organization_may_publish_in_its_name(site: Site, github: FakeGitHub) -> None:
    answer = log_in(site, github, FakeUser("alice", 1, {"acme": "admin", "tools": "admin"}))
    assert permissions(answer) == [f"publish io.github.{name}/*" for name in ("alice", "acme", "tools")]


def test_member_without_ownership_may_not(site: Site, github: FakeGitHub) -> None:
    """Threat 34."""
    answer = log_in(site, github, FakeUser("mallory", 2, {"acme": "member"}))
    assert permissions(answer) == ["publish io.github.mallory/*"]
    assert publish(site, answer.json()["registry_token"], "io.github.acme/weather").status_code == 403


def test_invited_owner_may_not_yet(site: Site, github: FakeGitHub) -> None:
    """Threat 34: anybody can be invited, and nobody has to accept."""
    user = FakeUser("mallory", 2, {"acme": "admin"}, states={"acme": "pending"})
    assert permissions(log_in(site, github, user)) == ["publish io.github.mallory/*"]


def test_token_without_read_org_proves_the_account_alone(site: Site, github: FakeGitHub) -> None:
    user = FakeUser("alice", 1, {"acme": "admin"})
    assert permissions(log_in(site, github, user, scope="read:user")) == ["publish io.github.alice/*"]


def test_all_pages_of_organizations_are_read(site: Site, github: FakeGitHub) -> None:
    user = FakeUser("alice", 1, {f"org-{number}": "admin" for number in range(150)})
    assert len(permissions(log_in(site, github, user))) == 151


def test_letter_case_is_github_s(site: Site, github: FakeGitHub) -> None:
    """Threat 34: a name in another case is another namespace, and nobody proves it."""
    answer = log_in(site, github, FakeUser("Alice", 1))
    assert permissions(answer) == ["publish io.github.Alice/*"]
    token = answer.json()["registry_token"]
    assert publish(site, token, "io.github.Alice/weather").status_code == 200
    assert publish(site, token, "io.github.alice/other").status_code == 403


def test_name_that_its_holder_left_keeps_its_namespace(site: Site, github: FakeGitHub) -> None:
    """Threat 34: GitHub gives the names of deleted accounts to whoever asks."""
    assert log_in(site, github, FakeUser("alice", 1)).status_code == 200
    assert "proven by another GitHub account" in cause(log_in(site, github, FakeUser("Alice", 666)))
    assert permissions(log_in(site, github, FakeUser("ALICE", 1))) == ["publish io.github.ALICE/*"]
    namespace_release(actor=OPERATOR, namespace="io.github.alice")
    assert permissions(log_in(site, github, FakeUser("alice", 666))) == ["publish io.github.alice/*"]


def test_organization_that_was_made_anew_is_left_out(site: Site, github: FakeGitHub) -> None:
    NamespaceHolder.objects.create(namespace="io.github.acme", account_id=5)
    user = FakeUser("mallory", 2, {"acme": "admin"}, organization_ids={"acme": 6})
    assert permissions(log_in(site, github, user)) == ["publish io.github.mallory/*"]


def test_blocked_namespace_gets_no_token(site: Site, github: FakeGitHub) -> None:
    namespace_block(actor=OPERATOR, namespace="io.github.Spammer", reason="spam")
    assert "blocked" in cause(log_in(site, github, FakeUser("spammer", 3)))
    user = FakeUser("alice", 1, {"spammer": "admin"})
    assert permissions(log_in(site, github, user)) == ["publish io.github.alice/*"]


def test_block_counts_for_tokens_that_were_issued_before(site: Site, github: FakeGitHub) -> None:
    token = log_in(site, github, FakeUser("spammer", 3)).json()["registry_token"]
    assert publish(site, token, "io.github.spammer/one").status_code == 200
    namespace_block(actor=OPERATOR, namespace="io.github.spammer")
    assert publish(site, token, "io.github.spammer/two").status_code == 401


@pytest.mark.parametrize("login", ["a/b", "*", "alice.x", "", "alice/*", "ali ce", "élise"])
def test_name_that_can_t_be_a_namespace_is_refused(site: Site, github: FakeGitHub, login: str) -> None:
    assert "can't stand in a namespace" in cause(log_in(site, github, FakeUser(login, 4)))
    assert "can't stand" in cause(log_in(site, github, FakeUser("alice", 1, {login or "a b": "admin"})))


def test_token_that_github_does_not_know_is_refused(site: Site, github: FakeGitHub) -> None:
    assert "GitHub does not accept the token" in cause(exchange(site, "github-at", github_token="gho_unknown"))


@pytest.mark.parametrize("token", ["", " ", "a b", "a\r\nX: y", "é", "x" * 2000])
def test_what_is_no_token_is_not_sent_to_github(site: Site, github: FakeGitHub, peers: Peers, token: str) -> None:
    assert "no GitHub token" in cause(exchange(site, "github-at", github_token=token))
    assert not peers.dns.asked


@pytest.mark.parametrize("status", [500, 403, 301])
def test_github_that_does_not_work_is_named(site: Site, github: FakeGitHub, status: int) -> None:
    token = github.token(FakeUser("alice", 1))
    github.status = status
    assert f"status {status}" in cause(exchange(site, "github-at", github_token=token))


@pytest.mark.parametrize("version", ["v0", "v0.1"])
def test_body_must_have_the_token_and_nothing_else(site: Site, github: FakeGitHub, version: str) -> None:
    path = f"/{version}/auth/github-at"
    body: Any
    for body in ({}, {"github_token": 1}, {"github_token": "x", "more": 1}, [], "x", None):
        assert site.request("POST", path, json=body).status_code == 422
    assert site.request("POST", path, content=b"{").status_code == 400
    assert site.request("POST", path, content=b"").status_code == 422
    assert site.request("POST", path, json={"github_token": "x" * 70_000}).status_code in (413, 422)
    assert site.request("GET", path).status_code == 404


def test_health_names_the_app_to_log_in_with(site: Site, github: FakeGitHub, settings: Any) -> None:
    assert site.get("/v0/health").json() == {"status": "ok", "github_client_id": CLIENT_ID}
    settings.REGISTRY_GITHUB_CLIENT_ID = ""
    assert site.get("/v0/health").json() == {"status": "ok"}
