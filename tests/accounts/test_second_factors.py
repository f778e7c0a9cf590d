"""Authenticator apps and passkeys, by django-allauth; passkeys themselves are tested in Chromium (tests/pages)."""

from __future__ import annotations

import base64
import hmac
import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal import auth
from allauth.socialaccount.models import SocialLogin
from django.core.cache import cache
from django.test import Client

from accounts.adapter import SocialAdapter
from config import sign_in
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


def signed_in_by_password() -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    return client


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> float:
    """The time at which codes are made and looked at: one is good for the half minute that it was made in."""
    found = time.time()
    monkeypatch.setattr(auth, "time", SimpleNamespace(time=lambda: found))
    return found


def code_of(secret: str, now: float) -> str:
    """RFC 6238 and 4226, 5.3: what an app on a phone shows."""
    digest = hmac.digest(base64.b32decode(secret), int(now // 30).to_bytes(8, "big"), "sha1")
    place = digest[-1] & 15
    return f"{(int.from_bytes(digest[place : place + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def test_authenticator_app_is_asked_for_from_then_on(now: float) -> None:
    make_user("alice", password=PASSWORD)
    client = signed_in_by_password()
    assert "/reauthenticate/" in client.get("/accounts/2fa/totp/activate/")["Location"]
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    answer = client.get("/accounts/2fa/totp/activate/")
    assert answer.status_code == 200, answer["Location"]
    page = answer.content.decode()
    found = re.search(r'value="([A-Z2-7]{32})"', page)
    assert found is not None, page
    assert client.post("/accounts/2fa/totp/activate/", {"code": "000000"}).status_code == 200
    assert client.post("/accounts/2fa/totp/activate/", {"code": code_of(found[1], now)}).status_code == 302
    again = signed_in_by_password()
    assert "_auth_user_id" not in again.session
    assert again.get("/oauth/authorize").status_code == 302  # to signing in
    again.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "_auth_user_id" not in again.session
    cache.clear()  # a code counts once, and this one set the app up
    again.post("/accounts/2fa/authenticate/", {"code": code_of(found[1], now)})
    assert "_auth_user_id" in again.session


@pytest.mark.parametrize(
    ("host", "has_passkeys"), [("127.0.0.1", False), ("[::1]", False), ("localhost", True), ("slipway.example", True)]
)
def test_passkeys_need_a_host_name(host: str, has_passkeys: bool) -> None:
    assert sign_in.is_name(host) is has_passkeys


def test_other_sites_are_offered_where_they_are_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sign_in.providers() == {}
    monkeypatch.setenv("SLIPWAY_GITHUB_CLIENT_ID", "id")
    with pytest.raises(Exception, match="belong together"):
        sign_in.providers()
    monkeypatch.setenv("SLIPWAY_GITHUB_CLIENT_SECRET", "secret")
    found: dict[str, Any] = sign_in.providers()
    assert found["github"]["APPS"][0]["client_id"] == "id"
    assert sign_in.form_targets() == ["https://github.com"]
    monkeypatch.setenv("SLIPWAY_OPENID_CLIENT_ID", "id")
    monkeypatch.setenv("SLIPWAY_OPENID_CLIENT_SECRET", "secret")
    monkeypatch.setenv("SLIPWAY_OPENID_URL", "http://idp.example")
    with pytest.raises(Exception, match="https"):
        sign_in.providers()


@pytest.mark.parametrize(
    ("addresses", "is_let_in"),
    [
        ([("ann@acme.example", True)], True),
        ([("Ann@ACME.example", True)], True),
        ([("ann@acme.example", False)], False),
        ([("ann@evil-acme.example", True)], False),
        ([("ann@acme.example.evil.example", True)], False),
        ([("acme.example", True)], False),
        ([], False),
    ],
)
def test_whom_another_site_vouches_for_at_a_domain(
    addresses: list[tuple[str, bool]], is_let_in: bool, settings: Any, rf: Any
) -> None:
    """Threat 15: the other site has to have checked the address."""
    settings.SLIPWAY_SIGN_UP, settings.SLIPWAY_SIGN_UP_DOMAINS = "domain", ["acme.example"]
    found = SocialLogin(email_addresses=[EmailAddress(email=email, verified=checked) for email, checked in addresses])
    assert SocialAdapter().is_open_for_signup(rf.get("/"), found) is is_let_in


@pytest.mark.parametrize("mode", ["closed", "invite"])
def test_elsewhere_nobody_vouches_for_anybody(mode: str, settings: Any, rf: Any) -> None:
    settings.SLIPWAY_SIGN_UP, settings.SLIPWAY_SIGN_UP_DOMAINS = mode, ["acme.example"]
    found = SocialLogin(email_addresses=[EmailAddress(email="ann@acme.example", verified=True)])
    assert not SocialAdapter().is_open_for_signup(rf.get("/"), found)
