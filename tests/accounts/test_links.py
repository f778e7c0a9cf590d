"""One-time links: the first administrator's, and those for accounts without a way to sign in."""

from __future__ import annotations

import io
import threading
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts import services
from accounts.models import OneTimeLink, User
from common import clock
from common.errors import AppError, BadInput, Conflict, NotFound
from events.actors import OPERATOR
from events.models import AuditEntry
from tests.factories import PASSWORD, make_user

FIRST, SIGN_IN = services.Purpose.FIRST_ADMIN, services.Purpose.SIGN_IN


def token_of(url: str) -> str:
    assert url.startswith(f"{settings.SLIPWAY_URL}/join/")
    return urlsplit(url).path.rpartition("/")[2]


def first_admin_token() -> str:
    return token_of(services.one_time_link_create(actor=OPERATOR, purpose=FIRST))


@pytest.mark.django_db
def test_token_has_128_bits_and_is_kept_nowhere() -> None:
    token = first_admin_token()
    assert len(token) == 22  # 128 bits in base64url
    row = OneTimeLink.objects.values().get()
    assert token not in str(row)
    assert token not in str(list(AuditEntry.objects.values()))
    assert row["expires_at"] - row["created_at"] <= timedelta(hours=1)


@pytest.mark.django_db
def test_first_administrator_chooses_name_and_password() -> None:
    token = first_admin_token()
    user = services.one_time_link_use(token=token, name="Root-1", password=PASSWORD)
    assert user.is_superuser
    assert user.check_password(PASSWORD)
    with pytest.raises(NotFound, match="used already"):
        services.one_time_link_use(token=token, name="other", password=PASSWORD)
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_refused_name_or_password_leaves_the_link_good() -> None:
    token = first_admin_token()
    make_user("taken")
    for name, password in (("taken", PASSWORD), ("admin", PASSWORD), ("fine", "short")):
        with pytest.raises(AppError) as caught:
            services.one_time_link_use(token=token, name=name, password=password)
        assert isinstance(caught.value, (BadInput, Conflict))
    assert services.one_time_link_use(token=token, name="fine", password=PASSWORD).is_superuser


@pytest.mark.django_db
def test_an_old_link_does_nothing() -> None:
    token = first_admin_token()
    OneTimeLink.objects.update(expires_at=clock.now())
    with pytest.raises(NotFound):
        services.one_time_link_find(token)
    with pytest.raises(NotFound):
        services.one_time_link_use(token=token, name="root-1", password=PASSWORD)


@pytest.mark.django_db
def test_a_new_link_ends_the_older_one() -> None:
    older, newer = first_admin_token(), first_admin_token()
    with pytest.raises(NotFound):
        services.one_time_link_find(older)
    assert services.one_time_link_find(newer)


@pytest.mark.django_db
def test_there_is_no_first_administrator_twice() -> None:
    token = first_admin_token()
    make_user("root-1", is_superuser=True)
    with pytest.raises(NotFound):
        services.one_time_link_use(token=token, name="root-2", password=PASSWORD)
    with pytest.raises(Conflict, match="sign_in_link"):
        services.one_time_link_create(actor=OPERATOR, purpose=FIRST)


@pytest.mark.django_db(transaction=True)
def test_of_two_uses_at_once_one_succeeds() -> None:
    token = first_admin_token()
    start = threading.Barrier(4)
    outcomes: list[str] = []

    def use(name: str) -> None:
        start.wait()
        try:
            outcomes.append(services.one_time_link_use(token=token, name=name, password=PASSWORD).username)
        except NotFound:
            outcomes.append("")
        finally:
            connection.close()

    threads = [threading.Thread(target=use, args=(f"root-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4
    assert User.objects.filter(is_superuser=True).count() == len([name for name in outcomes if name]) == 1


# --- the page


@pytest.mark.django_db
def test_looking_at_the_link_leaves_it_unused(client: Client) -> None:
    path = f"/join/{first_admin_token()}"
    for _ in range(2):
        response = client.get(path)
        assert response.status_code == 200
        assert response["Referrer-Policy"] == "strict-origin"
        assert "no-store" in response["Cache-Control"]
        assert b'name="name"' in response.content
        assert b"/accounts/login/" not in response.content, "nobody has an account yet"


@pytest.mark.django_db
def test_the_form_makes_the_administrator_and_signs_in(client: Client) -> None:
    path = f"/join/{first_admin_token()}"
    response = client.post(path, {"name": "root-1", "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/servers/")
    user = User.objects.get()
    assert user.is_superuser
    assert client.session["_auth_user_id"] == str(user.pk)
    assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_bad_bodies_show_the_reason(client: Client) -> None:
    path = f"/join/{first_admin_token()}"
    assert b"reserved" in client.post(path, {"name": "admin", "password": PASSWORD}).content
    response = client.post(path, {"name": "root-1", "password": "short"})
    assert response.status_code == 400
    assert b"too short" in response.content
    assert client.post(path, {}).status_code == 400
    assert not User.objects.exists()


@pytest.mark.django_db
def test_the_form_needs_a_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post(f"/join/{first_admin_token()}", {"name": "root-1", "password": PASSWORD})
    assert response.status_code == 403
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    assert getattr(client, method)(f"/join/{first_admin_token()}").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["x", "A" * 22, "%00", "é"])
def test_unknown_tokens_are_not_found(client: Client, token: str) -> None:
    response = client.get(f"/join/{token}")
    assert response.status_code == 404
    assert b"expired" in response.content


@pytest.mark.django_db
def test_sign_in_link_lets_an_account_set_its_password(client: Client) -> None:
    user = make_user("alice")
    path = f"/join/{token_of(services.one_time_link_create(actor=OPERATOR, purpose=SIGN_IN, user=user))}"
    page = client.get(path)
    assert b"alice" in page.content
    assert b'name="name"' not in page.content
    response = client.post(path, {"password": PASSWORD, "name": "root-1", "is_superuser": "on"})
    assert response.status_code == 302
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert (user.username, user.is_superuser, user.is_staff) == ("alice", False, False)
    assert client.session["_auth_user_id"] == str(user.pk)


@pytest.mark.django_db
def test_sign_in_link_of_an_account_that_was_switched_off(client: Client) -> None:
    user = make_user("alice")
    token = token_of(services.one_time_link_create(actor=OPERATOR, purpose=SIGN_IN, user=user))
    User.objects.update(is_active=False)
    assert client.post(f"/join/{token}", {"password": PASSWORD}).status_code == 404
    user.refresh_from_db()
    assert not user.has_usable_password()


# --- the commands


@pytest.mark.django_db
def test_commands_print_only_the_link() -> None:
    make_user("alice")
    for arguments in (["admin_link"], ["sign_in_link", "--user", "Alice"]):
        out = io.StringIO()
        call_command(*arguments, stdout=out)
        assert services.one_time_link_find(token_of(out.getvalue().strip()))


@pytest.mark.django_db
def test_commands_refuse_clearly() -> None:
    make_user("root-1", is_superuser=True)
    with pytest.raises(CommandError, match="administrator already"):
        call_command("admin_link")
    with pytest.raises(CommandError, match="no user named “bob”"):
        call_command("sign_in_link", "--user", "bob")
