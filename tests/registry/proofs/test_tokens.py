"""Tokens of the registry: good for five minutes, here, and as nothing else."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

from common import clock
from oauth import claims as access_tokens
from oauth.keys import load_signing_key
from registry.permissions import namespace, publish
from registry.proofs import keys, tokens
from registry.proofs.errors import ProofRefused
from registry.proofs.identity import Identity

SITE = "https://slipway.example"
NOW = 1_790_000_000.0
ALICE = Identity("github-at", "alice", (publish(namespace("io.github.alice")),))


def key_of() -> OKPKey:
    made = OKPKey.generate_key("Ed25519")
    return OKPKey.import_key(made.as_dict(private=True), {"kid": made.thumbprint()})


KEY = key_of()


def verify(value: str, *, key: OKPKey = KEY, site: str = SITE, now: float = NOW) -> Identity:
    return tokens.verify(value, keys=[key], site=site, now=now)


def minted() -> str:
    return tokens.mint(ALICE, key=KEY, site=SITE, now=NOW).value


def parts(value: str) -> tuple[dict[str, Any], dict[str, Any]]:
    head, body, _ = value.split(".")
    return json.loads(base64.urlsafe_b64decode(head + "==")), json.loads(base64.urlsafe_b64decode(body + "=="))


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def signed(header: dict[str, Any], body: dict[str, Any], key: Any = KEY) -> str:
    return jws.serialize_compact(header, json.dumps(body), key, algorithms=[header["alg"]])


def test_token_says_who_proved_what_for_five_minutes() -> None:
    made = tokens.mint(ALICE, key=KEY, site=SITE, now=NOW)
    assert verify(made.value) == ALICE
    assert made.expires_at == NOW + 300
    header, body = parts(made.value)
    assert (header["typ"], body["iss"], body["auth_method"]) == ("mcp-registry+jwt", f"{SITE}/registry", "github-at")
    assert body["permissions"] == [{"action": "publish", "resource": "io.github.alice/*"}]


def test_expired_token_is_refused() -> None:
    assert verify(minted(), now=NOW + 299.9)
    with pytest.raises(ProofRefused, match="expired"):
        verify(minted(), now=NOW + 300)


def test_token_of_the_future_is_refused() -> None:
    with pytest.raises(ProofRefused, match="isn't valid yet"):
        verify(minted(), now=NOW - 6)


def test_token_of_another_registry_is_refused() -> None:
    """Threat 34: another registry's key doesn't count, and its name doesn't under ours."""
    with pytest.raises(ProofRefused, match="isn't this registry's"):
        verify(tokens.mint(ALICE, key=key_of(), site=SITE, now=NOW).value)
    with pytest.raises(ProofRefused, match="another registry"):
        verify(minted(), site="https://other.example")


@pytest.mark.parametrize("member", ["iss", "aud"])
def test_token_for_another_audience_is_refused(member: str) -> None:
    header, body = parts(minted())
    with pytest.raises(ProofRefused, match="another registry"):
        verify(signed(header, {**body, member: "https://other.example/registry"}))
    with pytest.raises(ProofRefused, match="another registry"):
        verify(signed(header, {name: value for name, value in body.items() if name != member}))


def test_unsigned_token_is_refused() -> None:
    """Threat 34: alg none."""
    header, body = parts(minted())
    with pytest.raises(ProofRefused, match="signature"):
        verify(f"{encoded(header)}.{encoded(body)}.")
    with pytest.raises(ProofRefused, match="algorithm"):
        verify(f"{encoded({**header, 'alg': 'none'})}.{encoded(body)}.")


@pytest.mark.parametrize("secret", ["raw", "pem", "jwk"])
def test_public_key_is_no_secret(secret: str) -> None:
    """Threat 34: HS256 with what everybody may know."""
    public = KEY.as_dict(private=False)
    forms = {
        "raw": base64.urlsafe_b64decode(str(public["x"]) + "=="),
        "pem": KEY.as_pem(private=False),
        "jwk": json.dumps(public).encode(),
    }
    header, body = parts(minted())
    text = ".".join(encoded(each) for each in ({**header, "alg": "HS256"}, body))
    mac = hmac.digest(forms[secret], text.encode(), "sha256")
    with pytest.raises(ProofRefused, match="algorithm"):
        verify(f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")


@pytest.mark.parametrize("more", [{"jwk": {}}, {"crit": ["b64"]}, {"typ": "at+jwt"}, {"typ": "JWT"}, {"x5c": []}])
def test_header_may_say_nothing_else(more: dict[str, Any]) -> None:
    header, body = parts(minted())
    with pytest.raises(ProofRefused, match="another kind"):
        verify(".".join([encoded({**header, **more}), *minted().split(".")[1:]]))


def test_access_token_of_this_site_is_refused() -> None:
    """Its key, type and audience are others; so are they for the reverse."""
    at = int(NOW)
    claims = access_tokens.Claims(
        "alice", "client", f"{SITE}/registry", frozenset(), "1", at, at + 60, f"{SITE}/registry"
    )
    assert KEY.kid is not None
    key = ECKey.generate_key("P-256", {"kid": KEY.kid})
    with pytest.raises(ProofRefused, match="algorithm"):
        verify(access_tokens.mint(claims, key=key))


def test_registry_token_is_refused_as_an_access_token() -> None:
    with pytest.raises(access_tokens.InvalidTokenError):
        access_tokens.verify(
            minted(), key=load_signing_key(), issuer=f"{SITE}/registry", audience=f"{SITE}/registry", now=NOW
        )


@pytest.mark.parametrize(
    "change",
    [
        lambda value: "", lambda value: "abc", lambda value: "..", lambda value: value[:-4],
        lambda value: value + "A" * 20_000,
        lambda value: value.replace(".", "", 1), lambda value: "é" + value, lambda value: value + ".x",
    ],
)  # fmt: skip
def test_what_is_no_token_is_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(ProofRefused):
        verify(change(minted()))


def test_permissions_that_are_none_are_refused() -> None:
    header, body = parts(minted())
    with pytest.raises(ProofRefused, match="permits"):
        verify(signed(header, {**body, "permissions": [{"action": "own", "resource": "*"}]}))


def test_rotation_keeps_tokens_for_their_five_minutes(tmp_path: Path, settings: Any) -> None:
    settings.SLIPWAY_SECRETS = tmp_path
    (tmp_path / keys.FILE).write_bytes(OKPKey.generate_key("Ed25519").as_pem(private=True))
    now = clock.now().timestamp()
    before = tokens.mint(ALICE, key=keys.signing_key(), site=SITE, now=now).value
    kid = keys.rotate()
    assert keys.signing_key().kid == kid
    after = tokens.mint(ALICE, key=keys.signing_key(), site=SITE, now=now).value
    for value in (before, after):
        assert tokens.verify(value, keys=keys.verifying_keys(), site=SITE, now=now) == ALICE
    keys.rotate(keep_before=False)
    for value in (before, after):
        with pytest.raises(ProofRefused, match="Log in again"):
            tokens.verify(value, keys=keys.verifying_keys(), site=SITE, now=now)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.pem")} <= {0o600, 0o644}
