"""Signing keys: published, signing, retiring, gone; and what others are told of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from common import clock
from events.actors import OPERATOR, SYSTEM
from oauth import claims, keys, rotation
from oauth.models import EndpointToken, SigningKey
from tests.oauth.flow import Flow

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """What this process knows of keys outlives the test's transaction."""
    yield
    keys._known.clear()


def published() -> set[str]:
    return {key["kid"] for key in Client().get("/oauth/jwks").json()["keys"]}


def signer(token: str) -> str:
    from oauth.clients.jwt import peek

    return str(peek(token)[0]["kid"])


def is_good(token: str, audience: str) -> bool:
    keys.keys_refresh()
    try:
        claims.verify(
            token,
            key=keys.known_keys(),
            issuer=settings.SLIPWAY_URL,
            audience=audience,
            now=clock.now().timestamp(),
        )
    except claims.InvalidTokenError:
        return False
    return True


def test_key_is_published_before_it_signs(flow: Flow) -> None:
    first = str(keys.load_signing_key().kid)
    assert published() == {first}
    following = rotation.signing_key_publish(actor=OPERATOR)
    assert rotation.signing_key_publish(actor=OPERATOR) == following
    assert published() == {first, following.kid}
    old = flow.connect()["access_token"]
    assert signer(old) == first
    assert not rotation.signing_key_activate(actor=OPERATOR)  # too early
    SigningKey.objects.update(created_at=clock.now() - rotation.PUBLISHED_FIRST - timedelta(seconds=1))
    assert rotation.signing_key_activate(actor=OPERATOR)
    new = flow.connect()["access_token"]
    assert signer(new) == following.kid
    assert is_good(old, flow.resource) and is_good(new, flow.resource)


def test_old_key_goes_when_all_that_it_signed_has_expired(flow: Flow) -> None:
    old = flow.connect()["access_token"]
    rotation.signing_key_publish(actor=OPERATOR)
    rotation.signing_key_activate(actor=OPERATOR, is_urgent=True)
    rotation.signing_keys_turn(actor=SYSTEM)
    assert is_good(old, flow.resource)
    long_ago = clock.now() - rotation.KEPT_AT_LEAST - timedelta(seconds=1)
    SigningKey.objects.filter(state="retiring").update(retired_at=long_ago)
    lasting = EndpointToken.objects.create(
        jti="x", user=flow.user, deployment_id=flow.user.pk, resource="x", scopes="mcp:read",
        created_at=long_ago, expires_at=clock.now() + timedelta(hours=1),
    )  # fmt: skip
    EndpointToken.objects.update(created_at=long_ago)
    rotation.signing_keys_turn(actor=SYSTEM)
    assert is_good(old, flow.resource)  # a longer-lived one of the same key still counts
    lasting.delete()
    rotation.signing_keys_turn(actor=SYSTEM)
    assert not is_good(old, flow.resource)
    assert len(published()) == 1


def test_site_rotates_by_itself_once_a_month() -> None:
    rotation.signing_key_publish(actor=OPERATOR)
    rotation.signing_key_activate(actor=OPERATOR, is_urgent=True)
    rotation.signing_keys_turn(actor=SYSTEM)
    assert len(published()) == 2
    SigningKey.objects.update(created_at=clock.now() - rotation.EVERY - timedelta(days=1))
    rotation.signing_keys_turn(actor=SYSTEM)
    assert len(published()) == 3


def test_command_rotates() -> None:
    call_command("rotate_signing_key")
    assert SigningKey.objects.get(state="next")
    call_command("rotate_signing_key", "--now")
    assert not SigningKey.objects.filter(state="next").exists()
    assert len(published()) == 2


def test_private_part_is_nowhere(flow: Flow) -> None:
    """Threat 11."""
    row = rotation.signing_key_publish(actor=OPERATOR)
    rotation.signing_key_activate(actor=OPERATOR, is_urgent=True)
    private = str(keys.signing_key().as_dict(private=True)["d"])
    assert row.kid == keys.signing_key().kid
    assert private not in str(list(SigningKey.objects.values()))
    assert '"d"' not in Client().get("/oauth/jwks").content.decode()


def test_metadata_says_what_there_is() -> None:
    documents = [
        Client().get(path).json()
        for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
    ]
    assert documents[0] == documents[1]
    said = documents[0]
    assert said["issuer"] == settings.SLIPWAY_URL
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["response_types_supported"] == ["code"]
    assert said["authorization_response_iss_parameter_supported"] is True
    assert said["client_id_metadata_document_supported"] is True
    assert "private_key_jwt" in said["token_endpoint_auth_methods_supported"]
    for name in (
        "token_endpoint",
        "authorization_endpoint",
        "revocation_endpoint",
        "registration_endpoint",
        "jwks_uri",
    ):
        assert said[name].startswith(settings.SLIPWAY_URL + "/oauth/")


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-authorization-server/mcp/alice/time",
        "/.well-known/openid-configuration/x",
        "/mcp/alice/.well-known/openid-configuration",
        "/.well-known/oauth-protected-resource",
    ],
)
def test_no_other_issuer_and_no_site_wide_resource(path: str) -> None:
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/.well-known/oauth-authorization-server", "/oauth/jwks", "/oauth/token", "/oauth/register"]
)
def test_browser_programs_may_ask(path: str) -> None:
    answer = Client().options(path, headers={"Origin": "https://app.example"})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (204, "*")
    assert "Access-Control-Allow-Credentials" not in answer
    assert Client().put(path).status_code == 405


def test_pages_with_cookies_are_for_no_other_origin(flow: Flow) -> None:
    assert "Access-Control-Allow-Origin" not in flow.ask()
