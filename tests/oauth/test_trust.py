"""The page on which administrators say which identity providers their organization trusts."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Organization, User
from accounts.organizations import service_account_create
from accounts.services import organization_create
from common.errors import Forbidden, NotFound
from events.actors import OPERATOR
from oauth.enterprise.trust import identity_link, identity_unlink, idp_distrust, idp_trust
from oauth.models import EnterpriseIdentity, TrustedIdp
from tests.accounts.test_organizations import member, signed_in
from tests.factories import actor_of, make_user
from tests.oauth.peers import WebHost

pytestmark = pytest.mark.django_db
PAGE = "/organizations/acme/identity"
ISSUER = "https://login.acme.example"
KEYS = f"{ISSUER}/keys"


@pytest.fixture
def acme(db: None) -> Organization:
    return organization_create(actor=OPERATOR, name="Acme", owner=make_user("boss"))


@pytest.fixture
def boss(acme: Organization) -> Client:
    return signed_in(User.objects.get(username="boss"))


def trust(client: Client, **changes: Any) -> int:
    sent = {"action": "trust", "issuer": ISSUER, "jwks_uri": KEYS, "scopes": ["mcp:read"], "clients": "", **changes}
    return client.post(PAGE, sent).status_code


def test_administrators_trust_change_and_distrust(boss: Client) -> None:
    assert "None yet" in boss.get(PAGE).content.decode()
    assert trust(boss) == 302
    idp = TrustedIdp.objects.get()
    assert (idp.issuer, idp.jwks_uri, idp.scopes, idp.clients) == (ISSUER, KEYS, "mcp:read", [])
    form = boss.get(f"{PAGE}?idp={idp.pk}").content.decode()
    assert "Change what it may" in form and KEYS in form
    assert trust(boss, scopes=["mcp:read", "mcp:call"], clients="robo\nrobo\ndesk") == 302
    idp.refresh_from_db()
    assert (idp.scopes, idp.clients) == ("mcp:read mcp:call", ["robo", "desk"])
    assert "2 programs only" in boss.get(PAGE).content.decode()
    boss.post(PAGE, {"action": "distrust", "idp": str(idp.pk)})
    idp.refresh_from_db()
    assert not idp.is_enabled and ISSUER not in boss.get(PAGE).content.decode()
    said = boss.get("/organizations/acme/audit").content.decode()
    assert "trusted_idp:set" in said and "trusted_idp:disable" in said


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "http://login.acme.example"},
        {"issuer": ""},
        {"issuer": "https://"},
        {"issuer": "https://user@login.acme.example"},
        {"issuer": "https://login.acme.example/" + "x" * 600},
        {"jwks_uri": "http://login.acme.example/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"scopes": []},
        {"scopes": ["deployments:write"]},
        {"clients": "\n".join(f"c{number}" for number in range(300))},
    ],
)
def test_what_can_not_be_trusted_is_refused_in_words(boss: Client, changes: dict[str, Any]) -> None:
    assert trust(boss, **changes) == 400
    assert not TrustedIdp.objects.exists()


def test_provider_is_asked_where_its_keys_are(boss: Client, web: WebHost) -> None:
    web.put("/.well-known/openid-configuration", {"issuer": web.url, "jwks_uri": f"{web.url}/found"})
    assert trust(boss, issuer=web.url, jwks_uri="") == 302
    assert TrustedIdp.objects.get().jwks_uri == f"{web.url}/found"
    web.put("/.well-known/openid-configuration", {"issuer": "https://another.example", "jwks_uri": f"{web.url}/found"})
    assert trust(boss, issuer=f"{web.url}/", jwks_uri="") == 400
    web.put("/.well-known/openid-configuration", {"issuer": web.url, "jwks_uri": "http://127.0.0.1/keys"})
    assert trust(boss, issuer=web.url, jwks_uri="") == 400


def test_administrators_speak_of_their_own_people_only(acme: Organization, boss: Client) -> None:
    """Threat 15: nobody becomes somebody of another organization."""
    trust(boss)
    idp, ann, stranger = TrustedIdp.objects.get(), member(acme, "ann", "member"), make_user("stranger")
    robot = service_account_create(actor=OPERATOR, organization=acme, name="bot", role="member")
    for user in (stranger, robot):
        answer = boss.post(PAGE, {"action": "link", "idp": str(idp.pk), "subject": "x", "account": user.username})
        assert answer.status_code == 400
        with pytest.raises(Forbidden):
            actor = actor_of(User.objects.get(username="boss"))
            identity_link(actor=actor, idp=idp, subject="x", user=user)
    assert not EnterpriseIdentity.objects.exists()
    boss.post(PAGE, {"action": "link", "idp": str(idp.pk), "subject": "ann-1", "account": "ann"})
    found = EnterpriseIdentity.objects.get()
    assert (found.subject, found.user) == ("ann-1", ann)
    assert "ann-1" in boss.get(PAGE).content.decode()
    boss.post(PAGE, {"action": "unlink", "identity": str(found.pk)})
    assert not EnterpriseIdentity.objects.exists()


def test_what_reaches_beyond_the_organization_is_the_operators(acme: Organization, boss: Client) -> None:
    """Threat 15: an address or a new account counts by the operator's word, for the keys that the operator saw."""
    actor = actor_of(User.objects.get(username="boss"))
    for more in ({"email_domains": ("acme.example",)}, {"creates_users": True}):
        with pytest.raises(Forbidden):
            idp_trust(actor=actor, organization=acme, issuer=ISSUER, jwks_uri=KEYS, **more)
    idp_trust(
        actor=OPERATOR, organization=acme, issuer=ISSUER, jwks_uri=KEYS, email_domains=("acme.example",),
        creates_users=True,
    )  # fmt: skip
    trust(boss, scopes=["mcp:call"])
    assert TrustedIdp.objects.get().email_domains == ["acme.example"]
    trust(boss, jwks_uri=f"{ISSUER}/mine")
    idp = TrustedIdp.objects.get()
    assert (idp.jwks_uri, idp.email_domains, idp.creates_users) == (f"{ISSUER}/mine", [], False)


@pytest.mark.parametrize("role", ["publisher", "member", "viewer", ""])
def test_others_change_nothing(acme: Organization, role: str) -> None:
    user = member(acme, "ann", role) if role else make_user("ann")
    idp = idp_trust(actor=OPERATOR, organization=acme, issuer=ISSUER, jwks_uri=KEYS)
    client = signed_in(user)
    assert client.get(PAGE).status_code == 404
    assert trust(client, scopes=["mcp:admin"]) == 404
    for do, more in (
        (idp_trust, {"organization": acme, "issuer": ISSUER, "jwks_uri": KEYS}),
        (idp_distrust, {"idp": idp}),
        (identity_link, {"idp": idp, "subject": "x", "user": user}),
        (identity_unlink, {"organization": acme, "identity_id": 1}),
    ):
        with pytest.raises((Forbidden, NotFound)):
            do(actor=actor_of(user), **more)
    idp.refresh_from_db()
    assert idp.is_enabled and idp.scopes == "mcp:read mcp:call"


@pytest.mark.parametrize("action", ["distrust", "link", "unlink"])
def test_of_another_organization_nothing_is_found(acme: Organization, boss: Client, action: str) -> None:
    other = organization_create(actor=OPERATOR, name="Globex", owner=make_user("other"))
    idp = idp_trust(actor=OPERATOR, organization=other, issuer=ISSUER, jwks_uri=KEYS)
    known = identity_link(actor=OPERATOR, idp=idp, subject="s", user=make_user("carl"))
    boss.post(PAGE, {"action": action, "idp": str(idp.pk), "identity": str(known.pk), "subject": "s",
                     "account": "boss"})  # fmt: skip
    idp.refresh_from_db()
    known.refresh_from_db()
    assert idp.is_enabled and known.user.username == "carl"
    for idp_id in ("", "rubbish", "\0"):
        assert boss.post(PAGE, {"action": "distrust", "idp": idp_id}).status_code == 302
