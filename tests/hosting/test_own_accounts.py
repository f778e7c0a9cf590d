"""Accounts that each user connects for a server: consent here, then there; whose token goes where, and whose not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from common import clock
from common.errors import BadInput, Conflict, Forbidden, NotFound
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting.credentials.accounts import Chosen, accounts_set
from hosting.credentials.eliciting import credentials_put
from hosting.credentials.personal import brought_for, personal_for, personal_set
from hosting.models import Deployment, DeploymentMember, Elicitation
from hosting.remotes import care as account_care
from hosting.routing import placement_for
from hosting.waiting.selectors import waiting_count
from oauth.models import Connection, ConnectionAttempt, Provider
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import Wanted, provider_client, provider_put, provider_remove
from oauth.outbound.requests import basic
from tests.factories import actor_of, make_deployment, make_runner, make_user, place
from tests.hosting import consent
from tests.hosting.consent import SECRET, agree, asked_of, browser, callback_of, digest_of, page_of
from tests.hosting.consent import provider_wanted as wanted
from tests.oauth.elsewhere import FakeAuthorizationServer

pytestmark = pytest.mark.django_db
KEY = "env:FORGE_TOKEN"


@pytest.fixture
def forge(far: FakeAuthorizationServer) -> FakeAuthorizationServer:
    return far


@pytest.fixture
def provider(forge: FakeAuthorizationServer) -> Provider:
    return provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=wanted(forge))


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def bob() -> User:
    return make_user("bob")


@pytest.fixture
def deployment(alice: User, bob: User, provider: Provider) -> Deployment:
    made = make_deployment(alice, argv=["run"])
    DeploymentMember.objects.create(deployment=made, user=bob)
    place(made, make_runner())
    choose(made)
    return made


def choose(deployment: Deployment, *scopes: str, **more: Any) -> None:
    chosen = {KEY: Chosen("forge", scopes)} if not more else more["chosen"]
    accounts_set(actor=OPERATOR, deployment=deployment, chosen=chosen, is_own=False)
    deployment.refresh_from_db()


def connect(deployment: Deployment, user: User, forge: FakeAuthorizationServer) -> Connection:
    consent.connect(deployment, user, KEY, forge, iss=None)
    return Connection.objects.get(user=user)


def token_of(deployment: Deployment, user: User) -> str:
    return personal_for(deployment.pk, user.pk).personal.env.get("FORGE_TOKEN", "")


# --- the way there and back


def test_consent_here_then_there_and_the_token_is_the_users_alone(
    deployment: Deployment, provider: Provider, forge: FakeAuthorizationServer, alice: User, bob: User
) -> None:
    assert [one.name for one in brought_for(deployment.pk, bob.pk).missing] == ["FORGE_TOKEN"]
    client, page = browser(bob), page_of(deployment, bob)
    shown = client.get(page)
    assert f"form-action 'self' {forge.url}" in shown["Content-Security-Policy"], "a browser may follow the redirect"
    text = shown.content.decode()
    assert "Connect your account at The Forge" in text and "<code>repo</code>" in text and "the operator" in text
    assert f"127.0.0.1:{forge.port}" in text and 'name="v0"' not in text and SECRET not in text
    assert not ConnectionAttempt.objects.exists() and forge.asked == []
    url = agree(client, page, KEY)
    asked = asked_of(url)
    assert url.startswith(f"{forge.url}/authorize?") and asked["client_id"] == "slipway" and asked["scope"] == "repo"
    assert asked["code_challenge_method"] == "S256" and "resource" not in asked
    assert asked["redirect_uri"].endswith(f"/connect/callback/{provider.server['callback']}")
    answer = client.get(callback_of(url), forge.allow(url, iss=None))
    assert answer["Location"] == page
    row = Connection.objects.get()
    assert (row.user_id, row.name, row.provider_id, row.server_url) == (bob.pk, KEY, provider.pk, "")
    token = token_of(deployment, bob)
    assert token in forge.good and token in personal_for(deployment.pk, bob.pk).personal.tokens
    assert brought_for(deployment.pk, bob.pk).missing == ()
    # Row 26: another user has none of it, and neither has what is for everybody.
    assert [one.name for one in brought_for(deployment.pk, alice.pk).missing] == ["FORGE_TOKEN"]
    assert token_of(deployment, alice) == "" and "FORGE_TOKEN" not in placement_for(deployment.pk)[1].env
    assert token not in str(list(Connection.objects.values())) + str(list(AuditEntry.objects.values()))
    assert AuditEntry.objects.filter(action="account:connect").get().data["name"] == KEY
    assert AuditEntry.objects.filter(action="account:use").exists()


# --- row 2: what an answer is worth


def test_a_state_of_before_the_consent_is_none(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    """Whatever somebody brings to the callback before Connect was pressed was never made here."""
    client, page = browser(bob), page_of(deployment, bob)
    client.get(page)
    key = Provider.objects.get().server["callback"]
    for state in ("", "x", "A" * 43):
        assert client.get(f"/connect/callback/{key}", {"code": "c", "state": state}).status_code == 400
    assert not Connection.objects.exists() and "/token" not in forge.paths()


def test_an_answer_counts_once_in_that_browser_for_that_user(
    deployment: Deployment, forge: FakeAuthorizationServer, alice: User, bob: User
) -> None:
    client, page = browser(bob), page_of(deployment, bob)
    url = agree(client, page, KEY)
    said = forge.allow(url, iss=None)
    for other in (browser(bob), browser(alice), Client()):
        assert other.get(callback_of(url), said).status_code == 400
    assert "/token" not in forge.paths()
    assert client.get(callback_of(url), said).status_code == 302
    assert client.get(callback_of(url), said).status_code == 400
    assert forge.paths().count("/token") == 1


def test_a_foreign_issuer_or_address_gets_no_code(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    client, page = browser(bob), page_of(deployment, bob)
    url = agree(client, page, KEY)
    assert client.get(callback_of(url), forge.allow(url, iss="https://evil.example")).status_code == 400
    url = agree(client, page, KEY)
    assert client.get("/connect/callback/0123456789abcdef", forge.allow(url, iss=None)).status_code == 400
    url = agree(client, page, KEY)
    ConnectionAttempt.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert client.get(callback_of(url), forge.allow(url, iss=None)).status_code == 400
    assert "/token" not in forge.paths() and not Connection.objects.exists()


def test_nothing_is_redeemed_for_a_page_that_is_over_or_a_server_that_is_lost(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    client, page = browser(bob), page_of(deployment, bob)
    url = agree(client, page, KEY)
    client.post(page, {"action": "decline"})
    assert client.get(callback_of(url), forge.allow(url, iss=None)).status_code == 410
    url = agree(client, page_of(deployment, bob), KEY)
    choose(deployment, chosen={"env:OTHER_TOKEN": Chosen("forge")})
    assert client.get(callback_of(url), forge.allow(url, iss=None)).status_code == 409
    choose(deployment)
    url = agree(client, page_of(deployment, bob), KEY)
    DeploymentMember.objects.all().delete()
    assert client.get(callback_of(url), forge.allow(url, iss=None)).status_code == 404
    assert "/token" not in forge.paths()


def test_nobody_is_sent_away_from_a_page_that_is_over(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    client, page = browser(bob), page_of(deployment, bob)
    digest = digest_of(client.get(page).content.decode())
    client.post(page, {"action": "decline"})
    assert client.post(f"{page}/connect", {"key": KEY, "digest": digest})["Location"] == page
    assert not ConnectionAttempt.objects.exists()


def test_only_its_user_agrees_and_only_to_what_was_shown(
    deployment: Deployment, forge: FakeAuthorizationServer, alice: User, bob: User
) -> None:
    client, page = browser(bob), page_of(deployment, bob)
    digest = digest_of(client.get(page).content.decode())
    assert browser(alice).post(f"{page}/connect", {"key": KEY, "digest": digest}).status_code == 404
    assert Client(enforce_csrf_checks=True).post(f"{page}/connect").status_code == 403
    choose(deployment, "repo", "admin")
    for data in ({"key": KEY, "digest": digest}, {"key": "env:OTHER", "digest": digest}, {"key": KEY}, {}):
        assert client.post(f"{page}/connect", data)["Location"] == page
    assert client.get(f"{page}/connect").status_code == 405
    assert not ConnectionAttempt.objects.exists()


def test_who_is_not_signed_in_connects_and_disconnects_nothing(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    page = page_of(deployment, bob)
    digest = digest_of(browser(bob).get(page).content.decode())
    answer = Client().post(f"{page}/connect", {"key": KEY, "digest": digest})
    assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
    assert not ConnectionAttempt.objects.exists()
    connect(deployment, bob, forge)
    answer = Client().post(f"/credentials/{deployment.pk}/disconnect", {"key": KEY})
    assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
    assert Connection.objects.get().state == "connected"


# --- while it lasts


def test_a_renewed_token_is_another_mark_and_a_refused_account_is_asked_for_again(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    connect(deployment, bob, forge)
    first, mark = token_of(deployment, bob), brought_for(deployment.pk, bob.pk).mark
    assert personal_for(deployment.pk, bob.pk).personal.mark == mark != ""
    Connection.objects.update(refresh_at=clock.now())
    account_care.accounts_tend()
    second = token_of(deployment, bob)
    assert first != second in forge.good and brought_for(deployment.pk, bob.pk).mark != mark
    forge.refresh.clear()
    Connection.objects.update(refresh_at=clock.now())
    account_care.accounts_tend()
    assert [one.name for one in brought_for(deployment.pk, bob.pk).missing] == ["FORGE_TOKEN"]
    assert token_of(deployment, bob) == ""
    assert waiting_count(bob.pk) == 1, "the page that it has, and nothing twice"
    Elicitation.objects.update(state="done")
    client = browser(bob)
    assert waiting_count(bob.pk) == 1 and "needs your account at" in client.get("/waiting/").content.decode()
    text = client.get(page_of(deployment, bob)).content.decode()
    assert "It needs you again" in text and "does not renew it any more" in text
    connect(deployment, bob, forge)
    assert brought_for(deployment.pk, bob.pk).missing == ()


def test_a_token_that_has_expired_is_renewed_before_it_is_counted(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    connect(deployment, bob, forge)
    Connection.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    mark = brought_for(deployment.pk, bob.pk).mark
    own = personal_for(deployment.pk, bob.pk).personal
    assert own.mark == mark and own.env["FORGE_TOKEN"] in forge.good
    assert sum(asked.form.get("grant_type") == "refresh_token" for asked in forge.asked) == 1
    Connection.objects.update(expires_at=clock.now() - timedelta(seconds=1), refresh_at=None)
    assert brought_for(deployment.pk, bob.pk).missing != ()


def test_a_site_that_is_away_is_not_asked_with_each_call(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    """Each would wait for it as long as an answer may take."""
    connect(deployment, bob, forge)
    Connection.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    forge.asked.clear()
    forge.instead["/token"] = lambda _: (503, {}, b"")
    for _ in range(3):
        assert brought_for(deployment.pk, bob.pk).missing == ()
    assert forge.paths() == ["/token"]
    del forge.instead["/token"]
    Connection.objects.update(refresh_at=clock.now())
    assert token_of(deployment, bob) in forge.good and forge.paths() == ["/token"] * 2


def test_more_scopes_are_asked_for_one_by_one(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    connect(deployment, bob, forge)
    choose(deployment, "repo", "gist")
    assert brought_for(deployment.pk, bob.pk).missing != () and token_of(deployment, bob) == ""
    text = browser(bob).get(page_of(deployment, bob)).content.decode()
    assert "More is wanted than you agreed to: gist." in text and text.count(">new<") == 1
    row = connect(deployment, bob, forge)
    assert row.requested_scopes == ["repo", "gist"] and token_of(deployment, bob)


def test_another_package_gets_no_token_of_what_was_connected_before(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    connect(deployment, bob, forge)
    deployment.versions.update(reference="pypi:another")
    assert brought_for(deployment.pk, bob.pk).missing != () and token_of(deployment, bob) == ""
    text = browser(bob).get(page_of(deployment, bob)).content.decode()
    assert "This is not the server any more that you connected it for" in text and "pypi:another" in text
    connect(deployment, bob, forge)
    assert brought_for(deployment.pk, bob.pk).missing == () and token_of(deployment, bob) in forge.good


def test_another_provider_is_another_account(deployment: Deployment, forge: FakeAuthorizationServer, bob: User) -> None:
    connect(deployment, bob, forge)
    provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=wanted(forge, name="second"))
    choose(deployment, chosen={KEY: Chosen("second", ("repo",))})
    assert brought_for(deployment.pk, bob.pk).missing != () and token_of(deployment, bob) == ""
    assert "wants another account now" in browser(bob).get(page_of(deployment, bob)).content.decode()


# --- which settings


def test_only_who_manages_says_what_is_an_account(deployment: Deployment, bob: User) -> None:
    with pytest.raises(NotFound):
        accounts_set(actor=actor_of(bob), deployment=deployment, chosen={}, is_own=False)
    for chosen in (
        {"env:PATH": Chosen("forge")}, {"env:1X": Chosen("forge")}, {"argument:x": Chosen("forge")},
        {"env:X": Chosen("none")}, {"env:X": Chosen("forge", ('a"b',))}, {"header:Host": Chosen("forge")},
    ):  # fmt: skip
        with pytest.raises(BadInput):
            accounts_set(actor=OPERATOR, deployment=deployment, chosen=chosen, is_own=False)
    with pytest.raises(Conflict):
        accounts_set(actor=OPERATOR, deployment=deployment, chosen={}, is_own=True)


def test_an_account_is_never_typed_and_typed_settings_stay(
    deployment: Deployment, forge: FakeAuthorizationServer, bob: User
) -> None:
    personal_set(actor=OPERATOR, deployment=deployment, keys=["env:API_KEY"])
    deployment.refresh_from_db()
    assert deployment.personal_inputs == ["env:API_KEY", KEY]
    with pytest.raises(BadInput):
        credentials_put(actor=actor_of(bob), deployment=deployment, values={KEY: "typed-by-hand"})
    connect(deployment, bob, forge)
    assert [one.name for one in brought_for(deployment.pk, bob.pk).missing] == ["API_KEY"]
    credentials_put(actor=actor_of(bob), deployment=deployment, values={"env:API_KEY": "typed-by-hand"})
    own = personal_for(deployment.pk, bob.pk).personal
    assert own.env["API_KEY"] == "typed-by-hand" and own.env["FORGE_TOKEN"] in forge.good
    personal_set(actor=OPERATOR, deployment=deployment, keys=[])
    deployment.refresh_from_db()
    assert deployment.personal_inputs == [KEY]


def test_a_providers_own_callback_and_client(
    deployment: Deployment, provider: Provider, forge: FakeAuthorizationServer, alice: User, bob: User
) -> None:
    """An owner's provider that claims the site's addresses gets another callback: no code of the site's client."""
    with pytest.raises(Forbidden):
        provider_put(site_peer(), actor=actor_of(alice), subject_id=None, wanted=wanted(forge))
    with pytest.raises(Forbidden):
        provider_remove(actor=actor_of(alice), provider=provider)
    mine = provider_put(site_peer(), actor=actor_of(alice), subject_id=deployment.pk, wanted=wanted(forge))
    assert mine.server["callback"] != provider.server["callback"] and mine.server["issuer"] == provider.server["issuer"]
    choose(deployment)  # its own goes before the site's of the same name
    client, page = browser(bob), page_of(deployment, bob)
    assert "alice, who owns this server" in client.get(page).content.decode()
    url = agree(client, page, KEY)
    said = forge.allow(url, iss=None)
    assert client.get(f"/connect/callback/{provider.server['callback']}", said).status_code == 400
    assert "/token" not in forge.paths()


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Not A Name"}, {"kind": "other"}, {"title": "a\nb"}, {"client_id": ""}, {"scopes": ('"',)},
        {"authorize_url": "javascript:alert(1)"}, {"token_url": "https://x/#y"}, {"revoke_url": "x"},
        {"kind": "discovered", "issuer": "nowhere"}, {"client_secret": "x" * 5000},
    ],
)  # fmt: skip
def test_a_provider_that_can_not_be(forge: FakeAuthorizationServer, changed: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=wanted(forge, **changed))
    assert not Provider.objects.exists()


def test_a_secret_stays_where_it_was_typed_in_for(provider: Provider, forge: FakeAuthorizationServer) -> None:
    changed = provider_put(
        site_peer(), actor=OPERATOR, subject_id=None, wanted=wanted(forge, client_secret="", title="Renamed")
    )
    assert changed.pk == provider.pk and provider_client(changed).secret == SECRET
    with pytest.raises(BadInput, match="Type the secret again"):
        provider_put(
            site_peer(), actor=OPERATOR, subject_id=None,
            wanted=wanted(forge, client_secret="", token_url="https://evil.example/token"),
        )  # fmt: skip
    Provider.objects.update(server={**provider.server, "token_url": "https://evil.example/token"})
    with pytest.raises(Conflict):
        provider_client(Provider.objects.get())


def test_a_new_secret_does_not_go_to_the_address_before(
    deployment: Deployment, provider: Provider, forge: FakeAuthorizationServer, bob: User
) -> None:
    """What is connected goes on at the old address with the old secret; the new one was typed in for the new one."""
    connect(deployment, bob, forge)
    moved = wanted(forge, client_secret="for-the-new-address-only", token_url=f"{forge.url}/moved")
    provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=moved)
    Connection.objects.update(refresh_at=clock.now())
    forge.asked.clear()
    account_care.accounts_tend()
    assert Connection.objects.get().state == "connected"
    (asked,) = forge.asked
    assert asked.path == "/token" and asked.headers["authorization"] == basic("slipway", SECRET)


def test_a_provider_that_describes_itself_and_takes_programs(forge: FakeAuthorizationServer) -> None:
    found = provider_put(
        site_peer(), actor=OPERATOR, subject_id=None,
        wanted=Wanted(name="found", kind="discovered", issuer=forge.url, scopes=("openid",)),
    )  # fmt: skip
    assert found.client_source == "registered" and found.client_id in forge.clients
    assert found.server["names_itself"] and found.server["token_url"] == f"{forge.url}/token"
    forge.metadata["registration_endpoint"] = None
    with pytest.raises(BadInput, match="/connect/callback/"):
        provider_put(
            site_peer(), actor=OPERATOR, subject_id=None,
            wanted=Wanted(name="closed", kind="discovered", issuer=forge.url),
        )  # fmt: skip
