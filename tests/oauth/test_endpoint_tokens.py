"""Tokens for endpoints: issued, audited, revoked; and the models that can't be swapped in later."""

from __future__ import annotations

import pytest
from django.conf import settings
from oauth2_provider import models as toolkit

from accounts.models import User
from common import clock, ids
from common.errors import BadInput, NotFound
from events.actors import OPERATOR
from events.models import AuditEntry
from oauth import claims, keys, models, scopes, selectors, services
from oauth.models import EndpointToken
from tests.factories import make_user

RESOURCE = f"{settings.SLIPWAY_URL}/mcp/alice/time"
DEPLOYMENT = ids.new_uuid()


def issue(user: User, ttl: int = 60) -> tuple[EndpointToken, str]:
    return services.endpoint_token_issue(
        actor=OPERATOR, user=user, deployment_id=DEPLOYMENT, resource=RESOURCE, scopes=scopes.DEFAULT, ttl_seconds=ttl
    )


@pytest.mark.django_db
def test_token_says_what_its_row_says() -> None:
    user = make_user()
    row, token = issue(user)
    found = claims.verify(
        token,
        key=keys.load_signing_key(),
        issuer=settings.SLIPWAY_URL,
        audience=RESOURCE,
        now=clock.now().timestamp(),
    )
    assert (found.sub, found.jti, found.scope) == (str(user.pk), row.jti, frozenset({"mcp:read", "mcp:call"}))
    assert found.exp - found.iat == 60
    assert found.exp == row.expires_at.timestamp()
    assert token not in str(EndpointToken.objects.values())
    entry = AuditEntry.objects.get(action="endpoint_token:issue")
    assert entry.subject_id == str(row.pk)
    assert token not in str(entry.data)


@pytest.mark.django_db
@pytest.mark.parametrize("ttl", [0, -1, 90 * 24 * 3600 + 1])
def test_lifetime_has_bounds(ttl: int) -> None:
    with pytest.raises(BadInput, match="90 days"):
        issue(make_user(), ttl)
    assert not EndpointToken.objects.exists()


@pytest.mark.django_db
def test_no_token_for_an_account_that_is_switched_off() -> None:
    user = make_user()
    user.is_active = False
    with pytest.raises(BadInput, match="switched off"):
        issue(user)


@pytest.mark.django_db
def test_revoked_tokens_are_listed_for_caches() -> None:
    user = make_user()
    (kept, _), (gone, _) = issue(user), issue(user)
    assert selectors.revoked_jtis() == set()
    services.endpoint_token_revoke(actor=OPERATOR, token_id=gone.pk)
    services.endpoint_token_revoke(actor=OPERATOR, token_id=gone.pk)  # repeatable
    assert selectors.revoked_jtis() == {gone.jti}
    assert AuditEntry.objects.filter(action="endpoint_token:revoke").count() == 1
    EndpointToken.objects.filter(pk=gone.pk).update(expires_at=clock.now())
    assert selectors.revoked_jtis() == set()  # an expired one is refused anyway
    User.objects.update(is_active=False)
    assert selectors.revoked_jtis() == {kept.jti}


@pytest.mark.django_db
def test_all_tokens_of_a_deployment_at_once() -> None:
    user = make_user()
    jtis = {issue(user)[0].jti for _ in range(3)}
    assert services.endpoint_tokens_revoke_for(actor=OPERATOR, deployment_id=DEPLOYMENT) == 3
    assert selectors.revoked_jtis() == jtis
    assert services.endpoint_tokens_revoke_for(actor=OPERATOR, deployment_id=DEPLOYMENT) == 0


@pytest.mark.django_db
def test_revoking_what_never_was() -> None:
    with pytest.raises(NotFound):
        services.endpoint_token_revoke(actor=OPERATOR, token_id=ids.new_uuid())


def test_scopes_are_read_in_one_order() -> None:
    assert scopes.parse("mcp:call  mcp:read") == ("mcp:read", "mcp:call")
    for text in ("", "mcp:read mcp:all", "openid"):
        with pytest.raises(BadInput):
            scopes.parse(text)


@pytest.mark.django_db
def test_published_keys_are_public() -> None:
    (jwk,) = keys.jwks()["keys"]
    assert jwk.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (jwk["kty"], jwk["crv"], jwk["alg"]) == ("EC", "P-256", "ES256")
    assert jwk["kid"] == keys.load_signing_key().thumbprint()


def test_all_six_models_are_ours() -> None:
    assert toolkit.get_application_model() is models.Application
    assert toolkit.get_grant_model() is models.Grant
    assert toolkit.get_access_token_model() is models.AccessToken
    assert toolkit.get_refresh_token_model() is models.RefreshToken
    assert toolkit.get_id_token_model() is models.IDToken
    assert toolkit.get_device_grant_model() is models.DeviceGrant
