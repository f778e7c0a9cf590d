"""Invitations: links that work once, for one person, and give no more than who made them has."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts import invitations
from accounts.models import Invitation, Membership, Organization, User
from accounts.services import organization_create
from common import clock
from common.errors import AppError, Conflict, Forbidden, NotFound
from events.actors import OPERATOR
from events.models import AuditEntry
from tests.accounts.test_organizations import member, role_of, signed_in
from tests.factories import PASSWORD, actor_of, make_user

NEW = {"name": "newcomer", "password": PASSWORD}


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _by_invitation(settings: Any) -> None:
    settings.SLIPWAY_SIGN_UP = "invite"


@pytest.fixture
def boss(db: None) -> User:
    return make_user("boss", is_superuser=True)


@pytest.fixture
def acme(boss: User) -> Organization:
    return organization_create(actor=OPERATOR, name="Acme", owner=boss)


def path_of(url: str) -> str:
    return "/invite/" + token_of(url) + ""


def token_of(url: str) -> str:
    return url.rpartition("/")[2]


def invite(user: User, organization: Organization | None = None, **fields: Any) -> str:
    if organization is not None:
        fields.setdefault("role", "member")
    return invitations.invitation_create(actor=actor_of(user), organization=organization, **fields)


def test_somebody_new_comes_in_with_an_account(boss: User, acme: Organization) -> None:
    path = path_of(invite(boss, acme, role="publisher", note="for Ann"))
    page = Client().get(path)
    assert page["Referrer-Policy"] == "strict-origin" and "no-store" in page["Cache-Control"]
    assert "Acme" in page.content.decode() and "for Ann" not in page.content.decode()
    client = Client()
    assert client.post(path, NEW).status_code == 302
    user = User.objects.get(username="newcomer")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert (role_of(user), user.site_role, user.is_superuser) == ("publisher", "member", False)
    assert AuditEntry.objects.filter(action="membership:add", subject_id=str(acme.pk)).count() == 1
    assert Client().post(path, {**NEW, "name": "second"}).status_code == 404
    assert not User.objects.filter(username="second").exists()


def test_somebody_with_an_account_joins(boss: User, acme: Organization) -> None:
    ann = make_user("ann")
    path = path_of(invite(boss, acme, role="viewer"))
    client = signed_in(ann)
    assert "Join as ann" in client.get(path).content.decode()
    assert client.post(path)["Location"] == "/organizations/Acme/"
    assert role_of(ann) == "viewer"
    assert client.get(path).status_code == 404


def test_looking_uses_nothing_up_and_refusals_neither(boss: User, acme: Organization) -> None:
    path = path_of(invite(boss, acme))
    for _ in range(2):
        assert Client().get(path).status_code == 200
    for wrong in ({"password": "short"}, {"name": "boss"}, {"name": ""}, {"name": "a\0b"}):
        assert Client().post(path, {**NEW, **wrong}).status_code == 400
    assert signed_in(boss).post(path).status_code == 409  # a member already
    assert Client().post(path, {**NEW, "site_role": "moderator", "is_superuser": "on"}).status_code == 302
    assert User.objects.get(username="newcomer").site_role == "member"


@pytest.mark.parametrize("fields", [{"revoked_at": clock.now}, {"expires_at": lambda: clock.now() - timedelta(1)}])
def test_ended_ones_open_nothing(boss: User, acme: Organization, fields: dict[str, Any]) -> None:
    path = path_of(invite(boss, acme))
    Invitation.objects.update(**{name: value() for name, value in fields.items()})
    assert Client().get(path).status_code == 404
    assert Client().post(path, NEW).status_code == 404
    assert Client().get("/invite/x\0").status_code == 404
    assert User.objects.count() == 1


def test_token_is_kept_nowhere(boss: User, acme: Organization) -> None:
    token = token_of(invite(boss, acme))
    rows = [*Invitation.objects.values_list("digest", "note", "email"), *AuditEntry.objects.values_list("data")]
    assert token not in str(rows)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_comes_in() -> None:
    boss = make_user("boss", is_superuser=True)
    acme = organization_create(actor=OPERATOR, name="Acme", owner=boss)
    token = token_of(invite(boss, acme))

    def join(name: str) -> None:
        try:
            invitations.invitation_join(token=token, name=name, password=PASSWORD)
        except AppError:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=join, args=(f"new-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Membership.objects.count() == 2 and User.objects.count() == 2


# --- nobody gives more than they have


def test_only_owners_invite_owners(acme: Organization) -> None:
    ann = member(acme, "ann", "administrator")
    with pytest.raises(Forbidden):
        invite(ann, acme, role="owner")
    invite(ann, acme, role="administrator")


@pytest.mark.parametrize("role", ["publisher", "member", "viewer"])
def test_others_invite_nobody(acme: Organization, role: str) -> None:
    ann = member(acme, "ann", role)
    with pytest.raises(Forbidden):
        invite(ann, acme)
    client = signed_in(ann)
    client.post("/organizations/acme/", {"action": "invite", "role": "member"})
    assert not Invitation.objects.exists()


def test_members_of_the_site_bring_no_accounts(acme: Organization) -> None:
    ann = member(acme, "ann", "administrator")
    path = path_of(invite(ann, acme))
    page = Client().get(path).content.decode()
    assert "Create the account" not in page and "Sign in with the account that you have" in page
    Client().post(path, NEW)
    assert not User.objects.filter(username="newcomer").exists()
    with pytest.raises(Forbidden):
        invitations.invitation_join(token=token_of(path), name="newcomer", password=PASSWORD)
    assert signed_in(make_user("bob")).post(path).status_code == 302
    with pytest.raises(Forbidden):
        invite(ann)
    assert signed_in(ann).get("/people/").status_code == 403


@pytest.mark.parametrize("site_role", ["publisher", "moderator"])
def test_site_roles_are_given_by_operators(boss: User, site_role: str) -> None:
    ann = make_user("ann")
    User.objects.filter(pk=ann.pk).update(site_role=site_role)
    with pytest.raises(Forbidden):
        invite(ann, site_role=site_role)
    client = signed_in(ann)
    client.post("/people/", {"action": "invite", "site_role": site_role, "note": "x"})
    assert Invitation.objects.get().site_role == "member"
    client.post("/people/", {"action": "role", "user": "ann", "role": "operator"})
    assert not User.objects.get(username="ann").is_superuser
    token = token_of(invite(boss, site_role=site_role))
    assert invitations.invitation_join(token=token, **NEW).site_role == site_role


def test_closed_site_makes_no_accounts(boss: User, acme: Organization, settings: Any) -> None:
    settings.SLIPWAY_SIGN_UP = "closed"
    with pytest.raises(Forbidden):
        invite(boss)
    with pytest.raises(Forbidden):
        invitations.invitation_join(token=token_of(invite(boss, acme)), **NEW)


def test_by_default_nobody_signs_up_without_an_invitation(boss: User) -> None:
    client = Client()
    fields = {"username": "alice", "password1": PASSWORD, "password2": PASSWORD}
    client.post("/accounts/signup/", fields)
    assert not User.objects.filter(username="alice").exists()


def test_revoking_is_of_the_same_organization(boss: User, acme: Organization) -> None:
    ann = make_user("ann")
    other = organization_create(actor=OPERATOR, name="Other", owner=ann)
    token = token_of(invite(boss, acme))
    made = Invitation.objects.get()
    for organization in (other, None):
        with pytest.raises(NotFound):
            invitations.invitation_revoke(actor=actor_of(ann), invitation_id=made.pk, organization=organization)
    client = signed_in(boss)
    for wrong in ("", "x", "\0"):
        assert client.post("/organizations/acme/", {"action": "revoke", "invitation": wrong}).status_code == 404
    client.post("/organizations/acme/", {"action": "revoke", "invitation": str(made.pk)})
    with pytest.raises(NotFound):
        invitations.invitation_find(token)


def test_open_ones_are_bounded(boss: User, acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MOST_OPEN", 1)
    invite(boss, acme)
    with pytest.raises(Conflict):
        invite(boss, acme)


def test_operators_people_page(boss: User) -> None:
    ann = make_user("ann")
    client = signed_in(boss)
    page = client.post("/people/", {"action": "invite", "site_role": "publisher", "note": "Bob"}).content.decode()
    assert "/invite/" in page
    assert "/invite/" not in client.get("/people/").content.decode()
    client.post("/people/", {"action": "role", "user": "ann", "role": "moderator"})
    client.post("/people/", {"action": "off", "user": "ann"})
    ann.refresh_from_db()
    assert (ann.site_role, ann.is_active) == ("moderator", False)
    client.post("/people/", {"action": "role", "user": "boss", "role": "member"})
    client.post("/people/", {"action": "off", "user": "boss"})
    boss.refresh_from_db()
    assert boss.is_superuser and boss.is_active
