"""Enterprise-managed authorization: an organization's identity provider decides, within what the organization lets it.

The assertions are made by hand and signed as a provider would; its keys are fetched over real TLS.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client

from accounts.models import Organization, User
from accounts.selectors import name_get
from accounts.services import organization_create
from common import clock
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting.models import Deployment, DeploymentMember
from hosting.services import deployment_create
from oauth.clients.services import client_create
from oauth.enterprise.trust import identity_link, idp_distrust, idp_trust
from oauth.models import AccessToken, EnterpriseIdentity, TrustedIdp
from tests.factories import make_user
from tests.oauth.flow import resource_of, token, verify
from tests.oauth.peers import WebHost
from tests.oauth.signers import Signer, with_hmac

pytestmark = pytest.mark.django_db
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def organization(name: str) -> tuple[Organization, Deployment]:
    owner = make_user(f"{name}-boss")
    made = organization_create(actor=OPERATOR, name=name, owner=owner)
    server = deployment_create(
        actor=OPERATOR, owner=name_get(name), name="time", reference="pypi:demo", access="public"
    )
    return made, Deployment.objects.select_related("owner").get(pk=server.pk)


@dataclass
class Company:
    """Acme, its server, its provider, Ann who works there, and a client that proves itself."""

    web: WebHost
    ann: User
    acme: Organization
    server: Deployment
    idp: TrustedIdp
    client_id: str
    secret: str
    signer: Signer = field(default_factory=Signer)

    @property
    def resource(self) -> str:
        return resource_of(self.server)

    def assertion(self, **changes: Any) -> str:
        said = {"resource": self.resource, **changes}
        client_id = said.pop("client_id", self.client_id)
        return self.signer.id_jag(said.pop("iss", self.idp.issuer), said.pop("sub", "ann-1"), client_id, **said)

    def exchange(self, assertion: str = "", **sent: Any) -> tuple[int, dict[str, Any]]:
        body = {"client_id": self.client_id, "client_secret": self.secret, "resource": self.resource, **sent}
        kept = {name: value for name, value in body.items() if value}
        return token(Client(), {"grant_type": GRANT, "assertion": assertion or self.assertion(), **kept})


@pytest.fixture
def company(db: None, web: WebHost) -> Iterator[Company]:
    acme, server = organization("acme")
    signer = Signer()
    idp = idp_trust(actor=OPERATOR, organization=acme, issuer=web.url, jwks_uri=web.put("/keys", signer.jwks))
    ann = make_user("ann")
    identity_link(actor=OPERATOR, idp=idp, subject="ann-1", user=ann)
    client, secret = client_create(actor=OPERATOR, name="Desk", grants=[GRANT], method="client_secret_post")
    yield Company(web, ann, acme, server, idp, client.client_id, secret, signer)


def refused(answer: tuple[int, dict[str, Any]], error: str = "invalid_grant") -> bool:
    return answer[0] in (400, 401) and answer[1]["error"] == error and not AccessToken.objects.exists()


def test_word_of_the_provider_becomes_a_token(company: Company) -> None:
    status, said = company.exchange()
    assert status == 200, said
    assert "refresh_token" not in said
    assert said["expires_in"] == 600
    found = verify(said["access_token"], company.resource)
    assert (found.sub, found.client_id) == (str(company.ann.pk), company.client_id)
    assert found.scope == {"mcp:read", "mcp:call"}
    entry = AuditEntry.objects.get(action="enterprise:exchange")
    assert entry.data["subject"] == "ann-1"
    assert company.web.asked == ["/keys"]


def test_assertion_counts_once(company: Company) -> None:
    """Threat 14."""
    assertion = company.assertion()
    assert company.exchange(assertion)[0] == 200
    AccessToken.objects.all().delete()
    assert refused(company.exchange(assertion))


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": [settings.SLIPWAY_URL, "https://elsewhere.example"]},
        {"aud": None},
        {"client_id": "another"},
        {"iss": "https://elsewhere.example"},
        {"sub": "stranger"},
        {"sub": ""},
        {"sub": 7},
        {"exp": int(time.time()) - 60},
        {"exp": int(time.time()) + 86_400},
        {"exp": None},
        {"iat": None},
        {"iat": int(time.time()) + 86_400},
        {"jti": None},
        {"cnf": {"jkt": "x"}},
        {"typ": "JWT"},
        {"typ": "at+jwt"},
    ],
)
def test_bad_assertions_are_refused(company: Company, change: dict[str, Any]) -> None:
    """Threats 13 and 14."""
    assert refused(company.exchange(company.assertion(**change)))


def test_forged_assertions_are_refused(company: Company) -> None:
    """Threat 13."""
    other = Signer()
    body = {"iss": company.idp.issuer, "sub": "ann-1", "aud": settings.SLIPWAY_URL, "client_id": company.client_id,
            "resource": company.resource, "jti": "1", "iat": int(time.time()),
            "exp": int(time.time()) + 60}  # fmt: skip
    public = company.signer.jwks["keys"][0]
    typ = "oauth-id-jag+jwt"
    for assertion in (
        other.sign(body, typ=typ),
        other.sign(body, typ=typ, kid=public["kid"]),
        other.sign(body, typ=typ, jwk=other.jwks["keys"][0]),
        with_hmac(public, body, kid=public["kid"], typ=typ),
        "nonsense",
    ):
        assert refused(company.exchange(assertion))


def test_an_access_token_is_no_assertion(company: Company) -> None:
    """Threat 13: and the reverse is refused by its type (tests/oauth/test_claims.py)."""
    _, said = company.exchange()
    AccessToken.objects.all().delete()
    assert refused(company.exchange(said["access_token"]))


@pytest.mark.parametrize("secret", ["", "guess"])
def test_client_has_to_prove_itself(company: Company, secret: str) -> None:
    company.secret = secret
    assert refused(company.exchange(), "invalid_client")


def test_provider_speaks_for_its_own_organization_only(company: Company) -> None:
    """Threat 14."""
    _, theirs = organization("globex")
    url = resource_of(theirs)
    assert refused(company.exchange(company.assertion(resource=url), resource=url))


def test_resource_of_claim_and_request_have_to_agree(company: Company) -> None:
    _, theirs = organization("globex")
    assert refused(company.exchange(resource=resource_of(theirs)))
    assert refused(company.exchange(company.assertion(resource=None), resource=""))
    assert refused(company.exchange(company.assertion(resource=f"{company.resource}2"), resource=""))
    assert company.exchange(company.assertion(resource=None))[0] == 200
    assert company.exchange(company.assertion(), resource="")[0] == 200


def test_scopes_are_what_all_have_in_common(company: Company) -> None:
    assert company.exchange(scope="mcp:read")[1]["scope"] == "mcp:read"
    assert company.exchange(company.assertion(scope="mcp:read"))[1]["scope"] == "mcp:read"
    assert company.exchange(company.assertion(scope="mcp:read mcp:call mcp:admin"))[1]["scope"] == "mcp:read mcp:call"
    AccessToken.objects.all().delete()
    assert refused(company.exchange(scope="mcp:admin"), "invalid_scope")
    assert refused(company.exchange(company.assertion(scope="other")), "invalid_scope")


def test_policy_of_the_organization_holds(company: Company) -> None:
    TrustedIdp.objects.update(clients=["another"])
    assert refused(company.exchange())
    TrustedIdp.objects.update(clients=[], resources=[company.acme.pk])
    assert refused(company.exchange())
    TrustedIdp.objects.update(resources=[company.server.pk])
    assert company.exchange()[0] == 200
    AccessToken.objects.all().delete()
    idp_distrust(actor=OPERATOR, idp=company.idp)
    assert refused(company.exchange())


def test_account_that_may_not_call_the_server_gets_nothing(company: Company) -> None:
    Deployment.objects.update(access="private")
    assert refused(company.exchange())
    DeploymentMember.objects.create(deployment=company.server, user=company.ann)
    assert company.exchange()[0] == 200


def test_account_that_is_switched_off_gets_nothing(company: Company) -> None:
    company.ann.is_active = False
    company.ann.save()
    assert refused(company.exchange())


def test_address_opens_no_account_by_itself(company: Company) -> None:
    """Threat 15."""
    boss = make_user("boss")
    EmailAddress.objects.create(user=boss, email="boss@other.example", verified=True, primary=True)
    claims = {"sub": "mallory", "email": "boss@other.example", "email_verified": True}
    assert refused(company.exchange(company.assertion(**claims)))
    TrustedIdp.objects.update(email_domains=["acme.example"])
    assert refused(company.exchange(company.assertion(**claims)))


def test_address_links_in_the_organizations_own_domain(company: Company) -> None:
    TrustedIdp.objects.update(email_domains=["acme.example"])
    claims = {"sub": "bea-1", "email": "Bea@acme.example"}
    bea = make_user("bea")
    address = EmailAddress.objects.create(user=bea, email="bea@acme.example", verified=False, primary=True)
    assert refused(company.exchange(company.assertion(**claims)))  # anybody could have typed it
    address.verified = True
    address.save()
    assert refused(company.exchange(company.assertion(**claims, email_verified=False)))
    assert verify(company.exchange(company.assertion(**claims))[1]["access_token"], company.resource).sub == str(bea.pk)
    assert EnterpriseIdentity.objects.get(subject="bea-1").user == bea


def test_account_is_made_only_where_the_organization_says_so(company: Company) -> None:
    claims = {"sub": "new-1", "preferred_username": "Ann"}
    assert refused(company.exchange(company.assertion(**claims)))
    TrustedIdp.objects.update(creates_users=True)
    status, said = company.exchange(company.assertion(**claims))
    assert status == 200, said
    user = User.objects.get(pk=verify(said["access_token"], company.resource).sub)
    assert user != company.ann and user.username.startswith("ann-")
    assert not user.has_usable_password() and not user.is_superuser


def test_keys_that_the_provider_turned_are_fetched(company: Company) -> None:
    from django.core.cache import cache

    assert company.exchange()[0] == 200
    company.signer = Signer()
    company.web.put("/keys", company.signer.jwks)
    assert company.exchange()[0] == 400  # asked a moment ago
    cache.clear()
    assert company.exchange()[0] == 200


def test_key_that_was_withdrawn_is_believed_for_a_day_at_most(company: Company) -> None:
    assert company.exchange()[0] == 200
    TrustedIdp.objects.update(jwks_fetched_at=clock.now() - timedelta(hours=25))
    from django.core.cache import cache

    cache.clear()
    company.web.put("/keys", Signer().jwks)
    assert company.exchange()[0] == 400
