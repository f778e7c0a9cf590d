"""The pages and the command on which providers are set up, and the settings that say what is an account."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from accounts.models import User
from accounts.reauthentication import SIGNED_IN_AT
from events.models import AuditEntry
from hosting.models import Deployment
from oauth.models import Provider
from oauth.outbound.providers import provider_client
from tests.factories import make_deployment, make_user
from tests.hosting.consent import browser

pytestmark = pytest.mark.django_db
SITE, SECRET = "/providers/", "a-secret-of-the-site"
GITHUB = {"action": "put", "name": "github", "kind": "github", "client_id": "Iv1.abc", "client_secret": SECRET}


@pytest.fixture
def operator() -> Client:
    user = make_user("oona")
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    return browser(user)


@pytest.fixture
def deployment() -> Deployment:
    return make_deployment(make_user("alice"), "far")


def test_an_operator_sets_a_provider_up(operator: Client) -> None:
    assert "None yet" in operator.get(SITE).content.decode()
    assert operator.post(SITE, GITHUB).status_code == 302
    found = Provider.objects.get()
    assert (found.subject_id, found.title, found.scopes) == (None, "GitHub", [])
    assert found.server["token_url"] == "https://github.com/login/oauth/access_token"
    assert provider_client(found).secret == SECRET
    for path in (SITE, f"{SITE}?name=github"):
        text = operator.get(path).content.decode()
        assert "/connect/callback/" in text and "Iv1.abc" in text and SECRET not in text
    assert operator.post(SITE, {**GITHUB, "client_secret": "", "scopes": "repo gist"}).status_code == 302
    assert provider_client(Provider.objects.get()).secret == SECRET, "it stays where none was typed"
    entries = AuditEntry.objects.filter(action__startswith="provider:")
    assert [entry.action for entry in entries.order_by("id")] == ["provider:add", "provider:change"]
    assert SECRET not in str(list(entries.values())) and SECRET.encode() not in bytes(Provider.objects.get().sealed)
    assert operator.post(SITE, {"action": "remove", "name": "github"}).status_code == 302
    assert operator.post(SITE, {"action": "remove", "name": "github"}).status_code == 404
    assert not Provider.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [{"name": "A B"}, {"kind": "none"}, {"client_id": ""}, {"client_id": "x" * 501}, {"client_secret": "x" * 5000}],
)
def test_what_can_not_be_is_said_at_its_field(operator: Client, changed: dict[str, str]) -> None:
    answer = operator.post(SITE, {**GITHUB, **changed})
    assert (
        answer.status_code == 400 and "errorlist" in answer.content.decode() and SECRET not in answer.content.decode()
    )
    assert not Provider.objects.exists()
    if changed == {"client_id": ""}:
        assert "/connect/callback/" in answer.content.decode(), "the address to register with there"


def test_whose_page_it_is(operator: Client, deployment: Deployment) -> None:
    eve, alice = browser(make_user("eve")), browser(User.objects.get(username="alice"))
    for client in (eve, alice):
        assert client.get(SITE).status_code == 403 and client.post(SITE, GITHUB).status_code == 403
    assert Client().get(SITE).status_code == 302
    own = "/d/alice/far/providers"
    assert eve.get(own).status_code == 404 and eve.post(own, GITHUB).status_code == 404
    assert alice.get(own).status_code == 200 and alice.post(own, GITHUB).status_code == 302
    assert Provider.objects.get().subject_id == deployment.pk
    assert "Iv1.abc" not in operator.get(SITE).content.decode()
    assert operator.post(SITE, {"action": "remove", "name": "github"}).status_code == 404


def test_setting_one_up_asks_who_is_there(operator: Client, settings: Any) -> None:
    user = User.objects.get(username="oona")
    user.set_password("correct horse battery")
    user.save()
    operator.force_login(user, "django.contrib.auth.backends.ModelBackend")
    session = operator.session
    session[SIGNED_IN_AT] = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT - 60
    session.save()
    answer = operator.post(SITE, GITHUB)
    assert answer.status_code == 302 and "reauthenticate" in answer["Location"]
    assert "Confirm that it is you" in operator.get(SITE).content.decode() and not Provider.objects.exists()


def test_settings_say_what_is_an_account(deployment: Deployment) -> None:
    alice = browser(User.objects.get(username="alice"))
    alice.post("/d/alice/far/providers", GITHUB)
    page = "/d/alice/far/settings/users"
    saved = alice.post(page, {"section": "accounts", "personal_accounts": "GITHUB_TOKEN github repo read:user\n\n"})
    assert saved.status_code == 302
    deployment.refresh_from_db()
    kept = {"provider": str(Provider.objects.get().pk), "scopes": ["repo", "read:user"]}
    assert deployment.personal_accounts == {"env:GITHUB_TOKEN": kept}
    text = alice.get(page).content.decode()
    assert "GITHUB_TOKEN github repo read:user" in text and "signs in to the remote" not in text
    for bad in ("GITHUB_TOKEN", "GITHUB_TOKEN none", "PATH github", 'X github sco"pe'):
        answer = alice.post(page, {"section": "accounts", "personal_accounts": bad})
        assert answer.status_code == 400
    assert browser(make_user("eve")).post(page, {"section": "accounts"}).status_code == 404
    alice.post(page, {"section": "personal", "others": "API_KEY"})
    deployment.refresh_from_db()
    assert deployment.personal_inputs == ["env:API_KEY", "env:GITHUB_TOKEN"]
    assert alice.post(page, {"section": "accounts", "personal_accounts": ""}).status_code == 302
    deployment.refresh_from_db()
    assert deployment.personal_inputs == ["env:API_KEY"] and deployment.personal_accounts == {}


def test_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    said = io.StringIO()
    call_command(
        "provider", "slack", "--client-id", "1.2", "--secret", "--scope", "chat:write", stdout=said, stderr=said
    )
    found = Provider.objects.get()
    assert (found.kind, found.scopes, provider_client(found).secret) == ("slack", ["chat:write"], SECRET)
    assert f"/connect/callback/{found.server['callback']}\n" in said.getvalue() and SECRET not in said.getvalue()
    listed = io.StringIO()
    call_command("provider", stdout=listed)
    assert listed.getvalue().startswith("slack\tslack\t1.2\t")
    with pytest.raises(CommandError, match="/connect/callback/"):
        call_command("provider", "github")
    call_command("provider", "slack", "--remove", stderr=said)
    assert not Provider.objects.exists()
