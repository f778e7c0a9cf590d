"""Which settings are accounts, and at which providers."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from common import clock
from common.errors import BadInput, Conflict, Forbidden, NotFound
from events.actors import OPERATOR
from hosting.credentials.accounts import Chosen, accounts_set
from hosting.credentials.eliciting import credentials_put
from hosting.credentials.personal import brought_for, personal_for, personal_set
from hosting.models import Deployment
from hosting.remotes import care as account_care
from oauth.models import Connection, Provider
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import Wanted, provider_client, provider_put, provider_remove
from oauth.outbound.requests import basic
from tests.factories import actor_of
from tests.hosting.consent import SECRET, agree, browser, page_of
from tests.hosting.consent import provider_wanted as wanted
from tests.hosting.own_accounts.choosing import KEY, choose, connect
from tests.oauth.elsewhere import FakeAuthorizationServer

pytestmark = pytest.mark.django_db


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
