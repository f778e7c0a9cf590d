"""Two identity providers that others wrote: people sign in with them, and they vouch for their people (SEP-990)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.conf import settings as site
from django.test import Client

from accounts.models import User
from accounts.services import organization_create
from events.actors import OPERATOR
from hosting.models import Deployment
from oauth.clients.services import client_create
from oauth.enterprise.trust import identity_link, idp_trust
from oauth.models import AccessToken, Application
from tests.factories import make_deployment, make_user
from tests.identity.idps import CALLBACK_HERE, Idp
from tests.oauth.flow import resource_of, token, verify

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def visitor() -> Client:
    """At the host that config/asgi.py gives every request."""
    return Client(headers={"host": urlsplit(site.SLIPWAY_URL).netloc})


def sign_in(person: Client, idp: Idp, name: str) -> Any:
    """From our page to theirs and back; our answer to what they say."""
    there = person.post("/accounts/oidc/openid/login/")["Location"]
    asked = parse_qs(urlsplit(there).query)
    assert there.startswith(f"{idp.issuer}/") and asked["code_challenge_method"] == ["S256"] and asked["state"]
    with idp.browser() as browser:
        back = idp.sign_in(browser, there, name, site.SLIPWAY_URL + CALLBACK_HERE)
    answer = person.get(back.removeprefix(site.SLIPWAY_URL))
    assert answer.status_code in (200, 302), answer.content.decode()
    return answer


def who(person: Client) -> str:
    user_id = person.session.get("_auth_user_id")
    return User.objects.get(pk=user_id).username if user_id else ""


def test_somebody_new_chooses_a_name_and_is_known_from_then_on(idp: Idp, settings: Any) -> None:
    settings.SLIPWAY_SIGN_UP = "open"
    person = visitor()
    answer = sign_in(person, idp, "ann")
    assert answer["Location"] == "/accounts/3rdparty/signup/"
    assert not User.objects.exists()
    assert person.post(answer["Location"], {"username": "Annie"}).status_code == 302
    assert who(person) == "Annie"
    again = visitor()
    sign_in(again, idp, "ann")
    assert who(again) == "Annie"
    assert SocialAccount.objects.get().uid == "ann"


@pytest.mark.parametrize("mode", ["closed", "invite"])
def test_where_nobody_may_sign_up_strangers_stay_outside(idp: Idp, settings: Any, mode: str) -> None:
    settings.SLIPWAY_SIGN_UP = mode
    person = visitor()
    sign_in(person, idp, "ann")
    assert person.post("/accounts/3rdparty/signup/", {"username": "ann"}).status_code in (302, 403)
    assert not User.objects.exists() and who(person) == ""


def test_domain_admits_whom_the_provider_vouches_for(idp: Idp, settings: Any) -> None:
    """canaille says nothing of addresses being checked, so its word is not enough; oidc-provider here says so."""
    settings.SLIPWAY_SIGN_UP = "domain"
    for domains, is_let_in in ((["other.example"], False), (["acme.example"], idp.vouches_for_addresses)):
        settings.SLIPWAY_SIGN_UP_DOMAINS = domains
        person = visitor()
        sign_in(person, idp, "ann")
        person.post("/accounts/3rdparty/signup/", {"username": "ann"})
        assert User.objects.exists() is is_let_in, domains


def test_an_address_opens_nobodys_account(idp: Idp, settings: Any) -> None:
    """Threat 15: the provider says an address that somebody here has, too."""
    settings.SLIPWAY_SIGN_UP = "open"
    victim = make_user("victim")
    EmailAddress.objects.create(user=victim, email="bob@acme.example", verified=True, primary=True)
    person = visitor()
    sign_in(person, idp, "bob")
    person.post("/accounts/3rdparty/signup/", {"username": "bob"})
    assert who(person) != "victim"
    assert not SocialAccount.objects.filter(user=victim).exists()


def test_somebody_with_an_account_connects_it(idp: Idp) -> None:
    user = make_user("ann")
    person = visitor()
    person.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    there = person.post("/accounts/oidc/openid/login/?process=connect")["Location"]
    with idp.browser() as browser:
        back = idp.sign_in(browser, there, "ann", site.SLIPWAY_URL + CALLBACK_HERE)
    person.get(back.removeprefix(site.SLIPWAY_URL))
    assert SocialAccount.objects.get().user == user
    again = visitor()
    sign_in(again, idp, "ann")
    assert who(again) == "ann"


# --- enterprise-managed authorization: the same provider's word for a program


class Company:
    """Acme trusts the provider; Ann works there; the desk program has an account at both."""

    def __init__(self, idp: Idp) -> None:
        self.idp, self.ann = idp, make_user("ann")
        organization = organization_create(actor=OPERATOR, name="acme", owner=make_user("boss"))
        server = make_deployment(make_user("alice"), access="public")
        Deployment.objects.filter(pk=server.pk).update(owner=organization.name)
        self.resource = resource_of(Deployment.objects.select_related("owner").get(pk=server.pk))
        trusted = idp_trust(
            actor=OPERATOR, organization=organization, issuer=idp.issuer
        )  # which says where its keys are
        identity_link(actor=OPERATOR, idp=trusted, subject="ann", user=self.ann)
        client, self.secret = client_create(actor=OPERATOR, name="Desk", grants=[GRANT], method="client_secret_post")
        Application.objects.filter(pk=client.pk).update(client_id=idp.settings.client_there)

    def redeem(self, assertion: str, **sent: str) -> tuple[int, dict[str, Any]]:
        proof = {"client_id": self.idp.settings.client_there, "client_secret": self.secret}
        return token(Client(), {"grant_type": GRANT, "assertion": assertion, **proof, **sent})


def test_a_signed_in_persons_token_becomes_one_for_a_server(idp: Idp) -> None:
    company = Company(idp)
    exchanged = idp.exchange(idp.id_token("ann"), company.resource)
    assert exchanged.status_code == 200, exchanged.text
    word = exchanged.json()["access_token"]
    status, said = company.redeem(word)
    assert status == 200, said
    found = verify(said["access_token"], company.resource)
    assert (found.sub, found.client_id) == (str(company.ann.pk), idp.settings.client_there)
    assert "refresh_token" not in said
    assert company.redeem(word)[1]["error"] == "invalid_grant"  # counts once


def test_what_the_provider_refuses_or_means_for_something_else(idp: Idp) -> None:
    company = Company(idp)
    mine = idp.id_token("ann")
    assert idp.exchange(idp.id_token("bob"), company.resource).status_code == 400
    assert idp.exchange(mine, company.resource, audience="https://elsewhere.example").status_code == 400
    assert company.redeem(mine)[1]["error"] == "invalid_grant"  # an ID token is no word
    elsewhere = idp.exchange(mine, f"{company.resource}2").json()["access_token"]
    assert company.redeem(elsewhere)[1]["error"] == "invalid_grant"
    word = idp.exchange(mine, company.resource).json()["access_token"]
    header, body, signature = word.split(".")
    forged = f"{header}.{body}.{signature[:-8]}{'A' * 8}"
    assert company.redeem(forged)[1]["error"] == "invalid_grant"
    company.secret = "guess"
    assert company.redeem(word)[1]["error"] == "invalid_client"
    assert not AccessToken.objects.exists()
