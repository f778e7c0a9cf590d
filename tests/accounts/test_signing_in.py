"""Signing up and in by django-allauth with our names."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Name, User
from events.models import AuditEntry
from tests.factories import PASSWORD, make_user


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """allauth's rate limits live in Valkey, which all tests share."""
    cache.clear()


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.SLIPWAY_SIGN_UP = "open"


def sign_up(client: Client, name: str, **more: str) -> int:
    fields = {"username": name, "password1": PASSWORD, "password2": PASSWORD, **more}
    return client.post("/accounts/signup/", fields).status_code


@pytest.mark.django_db
def test_signing_up_never_makes_an_administrator(client: Client) -> None:
    assert sign_up(client, "Alice", is_superuser="on", is_staff="on") == 302
    user = User.objects.get()
    assert (user.username, user.is_superuser, user.is_staff) == ("Alice", False, False)
    assert Name.objects.get().folded == "alice"
    assert AuditEntry.objects.filter(action="user:sign_up").count() == 1


@pytest.mark.django_db
def test_closed_sign_up_makes_no_account_and_is_not_offered(client: Client, settings: Any) -> None:
    settings.SLIPWAY_SIGN_UP = "closed"
    sign_up(client, "alice")
    assert not User.objects.exists()
    assert "/accounts/signup/" not in client.get("/accounts/login/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["admin", "a--b", "ALICE", "released"])
def test_names_that_cant_be_had(client: Client, name: str) -> None:
    make_user("alice")
    Name.objects.create(folded="released", display="released", released_at="2026-01-01T00:00:00Z")
    assert sign_up(client, name) == 200  # the form again, with the reason
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_an_account_without_password_cant_be_signed_in_to(client: Client) -> None:
    make_user("alice")
    for password in ("", "!", PASSWORD):
        client.post("/accounts/login/", {"login": "alice", "password": password})
        assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_signing_in_by_a_name_in_any_case(client: Client) -> None:
    user = make_user("Alice", password=PASSWORD)
    response = client.post("/accounts/login/", {"login": "ALICE", "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/servers/")
    assert client.session["_auth_user_id"] == str(user.pk)
