"""What is accepted as an access token, and everything that isn't."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from oauth import claims

ISSUER = "https://slipway.example"
RESOURCE = f"{ISSUER}/mcp/alice/time"
NOW = 1_800_000_000
CLAIMS = claims.Claims(
    sub="u1",
    client_id="c1",
    aud=RESOURCE,
    scope=frozenset({"mcp:read", "mcp:call"}),
    jti="j1",
    iat=NOW - 10,
    exp=NOW + 3590,
    iss=ISSUER,
)
HEADER = {"alg": "ES256", "typ": "at+jwt"}


def make_key() -> ECKey:
    key = ECKey.generate_key("P-256")
    return ECKey.import_key(key.as_dict(private=True), {"kid": key.thumbprint()})


KEY = make_key()


def verify(token: str, **changes: Any) -> claims.Claims:
    return claims.verify(token, **{"key": KEY, "issuer": ISSUER, "audience": RESOURCE, "now": NOW, **changes})


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def body(**changes: Any) -> dict[str, Any]:
    token = claims.mint(CLAIMS, key=KEY).split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token + "=="))
    return {name: value for name, value in {**found, **changes}.items() if value is not None}


def signed(payload: Any, header: dict[str, Any] | None = None, key: ECKey = KEY) -> str:
    """A token with a good signature of `key` over whatever is in it."""
    registry = jws.JWSRegistry(strict_check_header=False)
    full = {**HEADER, "kid": KEY.kid, **(header or {})}
    return jws.serialize_compact(full, json.dumps(payload), key, registry=registry)


def test_minted_token_verifies_to_the_same_claims() -> None:
    token = claims.mint(CLAIMS, key=KEY)
    assert verify(token) == CLAIMS
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid}


def test_public_part_of_the_key_suffices() -> None:
    public = ECKey.import_key(KEY.as_dict(private=False), {"kid": KEY.thumbprint()})
    assert verify(claims.mint(CLAIMS, key=KEY), key=public) == CLAIMS


def refused(token: str, words: str = "", **changes: Any) -> None:
    with pytest.raises(claims.InvalidTokenError) as caught:
        verify(token, **changes)
    assert words in caught.value.reason


def test_algorithm_none() -> None:
    for alg in ("none", "None", "NONE", None):
        head = {key: value for key, value in {**HEADER, "alg": alg, "kid": KEY.kid}.items() if value}
        for signature in ("", "AA"):
            refused(f"{b64(json.dumps(head).encode())}.{b64(json.dumps(body()).encode())}.{signature}", "algorithm")


def test_hs256_with_the_public_key_as_secret() -> None:
    secrets = [KEY.as_pem(private=False), json.dumps(KEY.as_dict(private=False)).encode()]
    for alg, digest in (("HS256", hashlib.sha256), ("ES256", hashlib.sha256)):
        for secret in secrets:
            head = b64(json.dumps({**HEADER, "alg": alg, "kid": KEY.kid}).encode())
            signing = f"{head}.{b64(json.dumps(body()).encode())}"
            refused(f"{signing}.{b64(hmac.new(secret, signing.encode(), digest).digest())}")


def test_other_curves_and_families() -> None:
    p384 = ECKey.generate_key("P-384")
    token = jws.serialize_compact(
        {**HEADER, "alg": "ES384", "kid": KEY.kid}, json.dumps(body()), p384, algorithms=["ES384"]
    )
    refused(token, "algorithm")
    oct_key = OctKey.generate_key(256)
    refused(jws.serialize_compact({**HEADER, "alg": "HS256", "kid": KEY.kid}, json.dumps(body()), oct_key), "algorithm")


@pytest.mark.parametrize("typ", ["JWT", "jwt", "oauth-id-jag+jwt", "AT+JWT ", "", None, 7])
def test_wrong_type(typ: Any) -> None:
    head = {"alg": "ES256", "kid": KEY.kid, **({"typ": typ} if typ is not None else {})}
    raw = claims.mint(CLAIMS, key=KEY).split(".")
    refused(f"{b64(json.dumps(head).encode())}.{raw[1]}.{raw[2]}", "no access token")


def test_a_key_in_the_header_is_refused() -> None:
    theirs = make_key()
    for extra in (
        {"jwk": theirs.as_dict(private=False)},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"crit": ["b64"], "b64": False},
    ):
        head = b64(json.dumps({**HEADER, "kid": KEY.kid, **extra}).encode())
        raw = claims.mint(CLAIMS, key=theirs).split(".")
        refused(f"{head}.{raw[1]}.{raw[2]}", "header")


def test_another_key_under_our_name() -> None:
    theirs = ECKey.import_key(ECKey.generate_key("P-256").as_dict(private=True), {"kid": KEY.thumbprint()})
    refused(claims.mint(CLAIMS, key=theirs), "signature")
    refused(claims.mint(CLAIMS, key=make_key()), "another key")


@pytest.mark.parametrize(
    "audience",
    [f"{ISSUER}/mcp/alice/other", ISSUER, f"{RESOURCE}/", f"{RESOURCE}?x=1", RESOURCE.upper(), "", None, [], 7],
)
def test_wrong_audience(audience: Any) -> None:
    refused(signed(body(aud=audience)), "resource")


def test_two_audiences() -> None:
    refused(signed(body(aud=[RESOURCE, f"{ISSUER}/mcp/alice/other"])), "exactly one")
    assert verify(signed(body(aud=[RESOURCE]))).aud == RESOURCE


@pytest.mark.parametrize("issuer", ["https://evil.example", f"{ISSUER}/", None])
def test_wrong_issuer(issuer: str | None) -> None:
    refused(signed(body(iss=issuer)))


def test_times() -> None:
    token = claims.mint(CLAIMS, key=KEY)
    assert verify(token, now=CLAIMS.exp - 1)
    refused(token, "expired", now=CLAIMS.exp)
    refused(token, "expired", now=CLAIMS.exp + 0.5, leeway=5)
    assert verify(token, now=CLAIMS.iat - 5)
    refused(token, "isn't valid yet", now=CLAIMS.iat - 6)
    refused(signed(body(nbf=NOW + 60)), "isn't valid yet")
    for name in ("exp", "iat"):
        refused(signed(body(**{name: None})), name)
        refused(signed(body(**{name: "tomorrow"})), name)
        refused(signed(body(**{name: True})), name)


@pytest.mark.parametrize("name", ["sub", "jti", "client_id"])
def test_missing_claims(name: str) -> None:
    refused(signed(body(**{name: None})), name)
    refused(signed(body(**{name: ""})), name)


def test_changed_claims_or_signature() -> None:
    head, payload, signature = claims.mint(CLAIMS, key=KEY).split(".")
    other = b64(json.dumps(body(sub="u2")).encode())
    refused(f"{head}.{other}.{signature}", "signature")
    refused(f"{head}.{payload}.{signature[::-1]}", "signature")
    refused(f"{head}.{payload}.", "signature")
    refused(f"{head}.{payload}", "no token of ours")
    assert verify(claims.mint(dataclasses.replace(CLAIMS, scope=frozenset()), key=KEY)).scope == frozenset()


@pytest.mark.parametrize("payload", [[], "text", 1, None])
def test_claims_that_are_no_object(payload: Any) -> None:
    refused(signed(payload), "no claims")


@given(st.text() | st.binary().map(lambda raw: f"{b64(raw)}.{b64(raw)}.{b64(raw)}"))
def test_rubbish_is_refused_and_never_raises_anything_else(token: str) -> None:
    refused(token)


def test_endless_token() -> None:
    refused("a" * 10_000, "too long")
