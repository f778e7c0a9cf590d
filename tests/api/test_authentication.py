"""Who the API lets in: its own tokens within their scopes, and signed-in browsers with their CSRF token."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from accounts.models import User
from common import clock
from common.errors import BadInput, Conflict, NotFound
from events.actors import OPERATOR, person
from events.models import AuditEntry
from oauth import api_tokens, scopes
from oauth.models import ApiToken
from oauth.services import endpoint_token_issue
from tests.api.conftest import ApiClient, token_of
from tests.factories import make_deployment

pytestmark = pytest.mark.django_db


def issue(user: User, **more: Any) -> tuple[ApiToken, str]:
    given = {"actor": OPERATOR, "user": user, "scopes": scopes.API_KNOWN, "ttl_seconds": 60, **more}
    return api_tokens.api_token_issue(**given)


def test_token_opens_until_revoked_and_is_kept_nowhere(alice: User) -> None:
    row, value = issue(alice, note="laptop")
    api = ApiClient(value)
    assert api("GET", "deployments").status == 200
    assert value not in str(ApiToken.objects.values())
    assert value not in str(AuditEntry.objects.values())
    assert value.startswith(row.prefix) and len(value) - len(row.prefix) > 36
    api_tokens.api_token_revoke(actor=person(alice.pk), token_id=row.pk)
    answer = api("GET", "deployments")
    assert (answer.status, answer.code) == (401, "authentication_failed")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Slipway API"'
    api_tokens.api_token_revoke(actor=person(alice.pk), token_id=row.pk)
    assert AuditEntry.objects.filter(action="api_token:revoke").count() == 1


def test_expired_token_and_switched_off_account_are_refused(alice: User) -> None:
    row, value = issue(alice)
    ApiToken.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert ApiClient(value)("GET", "deployments").status == 401
    value = token_of(alice)
    User.objects.update(is_active=False)
    assert ApiClient(value)("GET", "deployments").status == 401


@pytest.mark.parametrize("token", ["", "slipway_api_", "slipway_api_" + "x" * 43, "x" * 9000, "é"])
def test_whoever_is_nobody_is_refused(token: str) -> None:
    answer = ApiClient(token)("GET", "deployments")
    assert answer.status == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_use_is_noted_once_a_minute(alice: User) -> None:
    row, value = issue(alice)
    api = ApiClient(value)
    api("GET", "deployments")
    row.refresh_from_db()
    first = row.last_used_at
    assert first is not None
    api("GET", "deployments")
    row.refresh_from_db()
    assert row.last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    api("GET", "deployments")
    row.refresh_from_db()
    assert row.last_used_at is not None and row.last_used_at >= first


def test_scopes_bound_what_a_token_does(alice: User) -> None:
    make_deployment(alice)
    reading = ApiClient(token_of(alice, "deployments:read"))
    assert reading("GET", "deployments/alice/time").status == 200
    answer = reading("POST", "deployments/alice/time/stop")
    assert (answer.status, answer.code) == (403, "insufficient_scope")
    writing = ApiClient(token_of(alice, "deployments:write"))
    assert writing("GET", "deployments").code == "insufficient_scope"
    assert ApiClient(token_of(alice, "tasks:read"))("GET", "deployments").status == 403


def test_endpoint_tokens_open_nothing_here(alice: User) -> None:
    deployment = make_deployment(alice)
    _, value = endpoint_token_issue(
        actor=OPERATOR,
        user=alice,
        deployment_id=deployment.pk,
        resource="http://127.0.0.1:8000/mcp/alice/time",
        scopes=scopes.DEFAULT,
        ttl_seconds=60,
    )
    answer = ApiClient(value)("GET", "deployments")
    assert answer.status == 401
    assert "MCP endpoint" in answer.body["detail"]


def test_session_needs_its_csrf_token_to_change_anything(alice: User) -> None:
    make_deployment(alice)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert browser.get("/api/deployments/alice/time").status_code == 200
    refused = browser.post("/api/deployments/alice/time/stop")
    assert refused.status_code == 403
    assert refused.json()["code"] == "permission_denied"
    browser.get("/servers/new")
    token = browser.cookies["slipway_csrf"].value
    done = browser.post("/api/deployments/alice/time/stop", content_type="application/json", HTTP_X_CSRFTOKEN=token)
    assert done.json()["state"] == "stopped"
    # A bearer token that is wrong is not made good by a cookie.
    assert browser.get("/api/deployments", HTTP_AUTHORIZATION="Bearer nonsense").status_code == 401


@override_settings(API_REQUESTS_PER_MINUTE=3)
def test_rate_is_counted_for_each_token(alice: User) -> None:
    api, other = ApiClient(token_of(alice)), ApiClient(token_of(alice))
    answers = [api("GET", "deployments") for _ in range(8)]  # a minute may end among them, once
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert refused[0].code == "throttled"
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
    assert other("GET", "deployments").status == 200


@pytest.mark.parametrize("ttl", [0, -1, 365 * 24 * 3600 + 1])
def test_lifetime_has_bounds(alice: User, ttl: int) -> None:
    with pytest.raises(BadInput, match="365 days"):
        issue(alice, ttl_seconds=ttl)


def test_people_issue_and_revoke_their_own_only(alice: User, bob: User) -> None:
    with pytest.raises(NotFound):
        issue(alice, actor=person(bob.pk))
    row, _ = issue(alice)
    with pytest.raises(NotFound):
        api_tokens.api_token_revoke(actor=person(bob.pk), token_id=row.pk)
    assert ApiToken.objects.get().revoked_at is None


def test_tokens_of_a_person_are_bounded(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_tokens, "MAX_LIVE", 2)
    issue(alice)
    row, _ = issue(alice)
    with pytest.raises(Conflict, match="Revoke one"):
        issue(alice)
    api_tokens.api_token_revoke(actor=OPERATOR, token_id=row.pk)
    issue(alice)


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue()


def test_tokens_from_the_shell(alice: User) -> None:
    value, words = run("issue_token", "--user", "alice", "--api")
    assert ApiClient(value)("GET", "deployments").status == 200
    row = ApiToken.objects.get()
    assert row.scopes.split() == list(scopes.API_KNOWN)
    assert row.expires_at - row.created_at == timedelta(days=30)
    run("revoke_token", words.split()[-1])
    assert ApiClient(value)("GET", "deployments").status == 401
    value, _ = run("issue_token", "--user", "alice", "--api", "--scope", "deployments:read", "--ttl", "60")
    assert ApiClient(value)("POST", "deployments").status == 403


@pytest.mark.parametrize(
    "arguments",
    [
        ["--user", "alice"],
        ["--user", "alice", "--api", "--deployment", "alice/time"],
        ["--user", "alice", "--api", "--scope", "mcp:read"],
        ["--user", "alice", "--api", "--ttl", "99999999"],
        ["--user", "nobody", "--api"],
    ],
)
def test_shell_says_what_is_wrong(alice: User, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run("issue_token", *arguments)
    assert not ApiToken.objects.exists()
