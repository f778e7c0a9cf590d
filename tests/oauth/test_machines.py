"""Programs that act by themselves (SEP-1046), and those that prove who they are with a key (private_key_jwt)."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from events.actors import OPERATOR
from hosting.models import Deployment
from hosting.services import deployment_delete
from oauth.clients.assertions import TYPE
from oauth.clients.services import client_block, client_create
from oauth.models import AccessToken, Application, ClientProfile, UsedAssertion
from tests.factories import make_deployment, make_user, owner_of
from tests.oauth.flow import CALLBACK, Flow, resource_of, revoked, token, verify
from tests.oauth.peers import WebHost
from tests.oauth.signers import Signer, with_hmac

pytestmark = pytest.mark.django_db


@pytest.fixture
def resource(deployment: Deployment) -> str:
    return resource_of(deployment)


@pytest.fixture
def alice(deployment: Deployment) -> User:
    return owner_of(deployment)


def service(user: User, **fields: Any) -> tuple[Application, str]:
    given = {"grants": ["client_credentials"], "method": "client_secret_basic", "user": user, **fields}
    return client_create(actor=OPERATOR, name="Nightly", **given)


def ask(**sent: Any) -> tuple[int, dict[str, Any]]:
    return token(Client(), {"grant_type": "client_credentials", **sent})


def prove(signer: Signer, client_id: str, **changes: Any) -> dict[str, str]:
    return {"client_assertion_type": TYPE, "client_assertion": signer.client_assertion(client_id, **changes)}


def test_program_with_a_secret_acts_as_whoever_set_it_up(alice: User, resource: str) -> None:
    client, secret = service(alice)
    status, said = ask(client_id=client.client_id, client_secret=secret, resource=resource)
    assert status == 200
    assert "refresh_token" not in said
    found = verify(said["access_token"], resource)
    assert (found.sub, found.client_id, found.scope) == (str(alice.pk), client.client_id, {"mcp:read", "mcp:call"})
    basic = base64.b64encode(f"{client.client_id}:{secret}".encode()).decode()
    answer = Client().post(
        "/oauth/token", "grant_type=client_credentials", content_type="application/x-www-form-urlencoded",
        headers={"Authorization": f"Basic {basic}"},
    )  # fmt: skip
    assert answer.status_code == 200
    assert secret not in str(list(Application.objects.values()))


@pytest.mark.parametrize("sent", [{}, {"client_secret": ""}, {"client_secret": "guess"}])
def test_without_the_secret_there_is_nothing(alice: User, resource: str, sent: dict[str, str]) -> None:
    client, _ = service(alice)
    assert ask(client_id=client.client_id, resource=resource, **sent) == (401, {"error": "invalid_client"})


def test_scopes_have_a_limit(alice: User, resource: str) -> None:
    client, secret = service(alice, scopes=["mcp:read"])
    sent = {"client_id": client.client_id, "client_secret": secret, "resource": resource}
    assert ask(**sent)[1]["scope"] == "mcp:read"
    for scope in ("mcp:call", "offline_access", "made:up"):
        assert ask(**sent, scope=scope)[1]["error"] == "invalid_scope"


def test_server_that_its_person_may_not_call_is_refused(alice: User) -> None:
    client, secret = service(alice)
    theirs = resource_of(make_deployment(make_user("bob"), "secret"))
    sent = {"client_id": client.client_id, "client_secret": secret, "resource": theirs}
    assert ask(**sent)[1]["error"] == "invalid_target"


def test_programs_of_people_can_not_act_by_themselves(flow: Flow) -> None:
    client, secret = client_create(
        actor=OPERATOR, name="x", redirect_uris=[CALLBACK], grants=["authorization_code"], method="client_secret_post"
    )
    sent = {"client_id": client.client_id, "client_secret": secret, "resource": flow.resource}
    assert ask(**sent)[1]["error"] == "unauthorized_client"


def test_blocked_or_left_without_its_person_it_gets_nothing(alice: User, resource: str) -> None:
    client, secret = service(alice)
    sent = {"client_id": client.client_id, "client_secret": secret, "resource": resource}
    _, said = ask(**sent)
    client_block(actor=OPERATOR, client_id=client.client_id)
    assert revoked(said["access_token"], resource)
    assert ask(**sent)[0] == 401
    other, secret = service(alice)
    alice.is_active = False
    alice.save()
    assert ask(client_id=other.client_id, client_secret=secret, resource=resource)[1]["error"] == "invalid_grant"


# --- private_key_jwt


@pytest.mark.parametrize("kind", ["ES256", "RS256", "PS256"])
@pytest.mark.parametrize("audience", [settings.SLIPWAY_URL, f"{settings.SLIPWAY_URL}/oauth/token"])
def test_program_with_a_key_proves_itself(alice: User, resource: str, kind: str, audience: str) -> None:
    signer = Signer(kind)
    client, secret = service(alice, method="private_key_jwt", jwks=signer.jwks)
    assert not secret
    status, said = ask(**prove(signer, client.client_id, aud=audience), resource=resource)
    assert status == 200
    assert verify(said["access_token"], resource).client_id == client.client_id


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"aud": [settings.SLIPWAY_URL, "https://elsewhere.example"]},
        {"sub": "other"},
        {"iss": "other"},
        {"exp": int(time.time()) - 3600},
        {"exp": int(time.time()) + 86_400},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": int(time.time()) + 86_400},
        {"nbf": int(time.time()) + 86_400},
        {"jti": None},
        {"jti": 7},
    ],
)
def test_bad_assertions_are_refused(alice: User, resource: str, change: dict[str, Any]) -> None:
    """Threat 13."""
    signer = Signer()
    client, _ = service(alice, method="private_key_jwt", jwks=signer.jwks)
    status, said = ask(**prove(signer, client.client_id, **change), resource=resource)
    assert (status, said["error"]) == (401, "invalid_client")
    assert not AccessToken.objects.exists()


def test_assertion_counts_once(alice: User, resource: str) -> None:
    signer = Signer()
    client, _ = service(alice, method="private_key_jwt", jwks=signer.jwks)
    sent = prove(signer, client.client_id)
    assert ask(**sent, resource=resource)[0] == 200
    assert ask(**sent, resource=resource)[1]["error"] == "invalid_client"
    assert UsedAssertion.objects.count() == 1


def test_forged_assertions_are_refused(alice: User, resource: str) -> None:
    """Threat 13: another's key, one that the token brings, the public key as a secret, none at all."""
    signer, other = Signer(), Signer()
    client, _ = service(alice, method="private_key_jwt", jwks=signer.jwks)
    body = {"iss": client.client_id, "sub": client.client_id, "aud": settings.SLIPWAY_URL, "jti": "1",
            "exp": int(time.time()) + 60}  # fmt: skip
    public = signer.jwks["keys"][0]
    unsigned = ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode()
        for part in (b'{"alg":"none"}', str(body).replace("'", '"').encode())
    )
    forged = [
        other.sign(body),
        other.sign(body, kid=public["kid"]),
        other.sign(body, jwk=other.jwks["keys"][0]),
        other.sign(body, jku="https://evil.example/keys"),
        signer.sign(body, typ="at+jwt"),
        signer.sign(body, typ="oauth-id-jag+jwt"),
        with_hmac(public, body, kid=public["kid"]),
        unsigned + ".",
        "nonsense",
        "a.b.c",
    ]
    for assertion in forged:
        sent = {"client_assertion_type": TYPE, "client_assertion": assertion}
        assert ask(**sent, resource=resource)[0] == 401, assertion
    assert ask(client_assertion_type=TYPE, client_assertion=signer.sign(body), resource=resource)[0] == 200


def test_document_with_a_key_is_never_taken_without_proof(web: WebHost, alice: User, resource: str) -> None:
    """R9: what declares private_key_jwt has to use it with every call."""
    signer = Signer()
    keys = web.put("/keys", signer.jwks)
    document = {
        "client_id": f"{web.url}/client.json",
        "client_name": "Robo",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": keys,
    }
    flow = Flow(alice, web.put("/client.json", document), resource)
    assert flow.redeem(flow.code())[1]["error"] == "invalid_client"
    code = flow.code()
    status, said = flow.redeem(code, **prove(signer, flow.client_id))
    assert status == 200
    assert web.asked.count("/keys") == 1
    assert flow.refresh(said["refresh_token"])[1]["error"] == "invalid_client"
    assert flow.refresh(said["refresh_token"], **prove(Signer(), flow.client_id))[1]["error"] == "invalid_client"
    assert web.asked.count("/keys") == 1  # an unknown key has us ask again, but not at once
    assert flow.refresh(said["refresh_token"], **prove(signer, flow.client_id))[0] == 200


def test_keys_that_turn_are_fetched_again(web: WebHost, alice: User, resource: str) -> None:
    from django.core.cache import cache

    old, new = Signer(), Signer()
    client, _ = service(alice, method="private_key_jwt", jwks=old.jwks)
    ClientProfile.objects.update(jwks={}, jwks_uri=web.put("/keys", old.jwks))
    assert ask(**prove(old, client.client_id), resource=resource)[0] == 200
    web.put("/keys", new.jwks)
    cache.clear()  # a minute later
    assert ask(**prove(new, client.client_id), resource=resource)[0] == 200
    assert ask(**prove(old, client.client_id), resource=resource)[0] == 401


def test_deleted_server_takes_tokens_of_machines_with_it(deployment: Deployment, alice: User, resource: str) -> None:
    """Nobody consented to these, so no consent ends them; a later server of this name is another thing."""
    client, secret = service(alice, method="client_secret_post")
    status, answer = ask(client_id=client.client_id, client_secret=secret, resource=resource)
    assert status == 200, answer
    assert not revoked(answer["access_token"], resource)
    deployment_delete(actor=OPERATOR, deployment=deployment)
    assert revoked(answer["access_token"], resource)
