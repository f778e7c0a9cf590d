"""Who may do what in an organization, as services and on its pages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts import organizations, permissions, selectors
from accounts.models import Membership, Organization, User
from accounts.services import organization_create
from common.errors import AppError, Conflict, Forbidden, NotFound
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting.access.permissions import may_call, may_manage, may_see
from hosting.services import deployment_create
from tests.factories import actor_of, make_user

ROLES = ["owner", "administrator", "publisher", "member", "viewer"]


@pytest.fixture
def acme(db: None) -> Organization:
    return organization_create(actor=OPERATOR, name="Acme", owner=make_user("boss"))


def member(organization: Organization, name: str, role: str) -> User:
    user = make_user(name)
    Membership.objects.create(organization=organization, user=user, role=role)
    return user


def role_of(user: User) -> str:
    return Membership.objects.get(user=user).role


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize(
    ("role", "manages", "calls", "sees", "administers"),
    [
        ("owner", True, True, True, True),
        ("administrator", True, True, True, True),
        ("publisher", True, True, True, False),
        ("member", False, True, True, False),
        ("viewer", False, False, True, False),
        ("", False, False, False, False),
    ],
)
def test_what_each_role_may(
    acme: Organization, role: str, manages: bool, calls: bool, sees: bool, administers: bool
) -> None:
    user = member(acme, "ann", role) if role else make_user("ann")
    server = deployment_create(actor=OPERATOR, owner=acme.name, name="time", reference="pypi:demo", access="private")
    actor = actor_of(user)
    assert may_manage(actor, server) is manages
    assert may_call(actor, server) is calls
    assert (user.pk in permissions.member_ids(acme.name)) is calls
    assert may_see(actor, server) is sees
    assert permissions.may_administer(actor, acme) is administers
    assert (acme.name in selectors.names_owned_by(user)) is manages


@pytest.mark.parametrize("mine", ["administrator", "publisher", "member", "viewer"])
def test_only_owners_make_and_unmake_owners(acme: Organization, mine: str) -> None:
    boss, ann, bob = User.objects.get(), member(acme, "ann", mine), member(acme, "bob", "member")
    for user, role in ((bob, "owner"), (boss, "member"), (ann, "owner")):
        with pytest.raises(Forbidden):
            organizations.role_set(actor=actor_of(ann), organization=acme, user=user, role=role)
    with pytest.raises(Forbidden):
        organizations.member_remove(actor=actor_of(ann), organization=acme, user=boss)
    assert [role_of(user) for user in (boss, ann, bob)] == ["owner", mine, "member"]


def test_administrators_change_and_remove_others(acme: Organization) -> None:
    ann, bob = member(acme, "ann", "administrator"), member(acme, "bob", "member")
    organizations.role_set(actor=actor_of(ann), organization=acme, user=bob, role="publisher")
    assert role_of(bob) == "publisher"
    row = AuditEntry.objects.get(action="membership:role")
    assert (row.actor, row.data["before"], row.data["after"]) == (f"user:{ann.pk}", "member", "publisher")
    organizations.member_remove(actor=actor_of(ann), organization=acme, user=bob)
    assert not Membership.objects.filter(user=bob).exists()
    with pytest.raises(NotFound):
        organizations.role_set(actor=actor_of(ann), organization=acme, user=bob, role="member")


def test_everybody_may_leave_but_the_last_owner(acme: Organization) -> None:
    boss, ann = User.objects.get(), member(acme, "ann", "viewer")
    organizations.member_remove(actor=actor_of(ann), organization=acme, user=ann)
    for do, more in ((organizations.member_remove, {}), (organizations.role_set, {"role": "member"})):
        with pytest.raises(Conflict, match="Somebody has to own"):
            do(actor=actor_of(boss), organization=acme, user=boss, **more)
    assert role_of(boss) == "owner"


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_at_once_leave_one() -> None:
    boss = make_user("boss")
    acme = organization_create(actor=OPERATOR, name="Acme", owner=boss)
    ann = member(acme, "ann", "owner")

    def remove(actor: User, user: User) -> None:
        try:
            organizations.member_remove(actor=actor_of(actor), organization=acme, user=user)
        except AppError:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=pair) for pair in ((boss, ann), (ann, boss))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Membership.objects.filter(organization=acme, role="owner").count() == 1


def test_strangers_learn_nothing(acme: Organization) -> None:
    eve = make_user("eve")
    client = signed_in(eve)
    for page in ("", "audit", "programs", "apps", "rules", "identity"):
        answer = client.get(f"/organizations/acme/{page}")
        assert answer.status_code == 404
        assert client.post(f"/organizations/acme/{page}", {"action": "leave"}).status_code == 404
        assert Client().get(f"/organizations/acme/{page}").status_code == 302  # to signing in
    with pytest.raises(NotFound):
        organizations.role_set(actor=actor_of(eve), organization=acme, user=User.objects.get(username="boss"), role="x")


@pytest.mark.parametrize("role", ["publisher", "member", "viewer"])
def test_pages_of_administrators_are_not_there_for_others(acme: Organization, role: str) -> None:
    client = signed_in(member(acme, "ann", role))
    page = client.get("/organizations/acme/")
    assert page.status_code == 200 and "Invite somebody" not in page.content.decode()
    for name in ("audit", "programs", "apps", "rules"):
        assert client.get(f"/organizations/acme/{name}").status_code == 404
    answer = client.post("/organizations/acme/", {"action": "role", "member": "boss", "role": "viewer"})
    assert answer.status_code == 302 and role_of(User.objects.get(username="boss")) == "owner"


def test_pages_of_administrators(acme: Organization) -> None:
    client = signed_in(User.objects.get())
    bob = member(acme, "bob", "member")
    for name in ("", "audit", "programs", "apps", "rules"):
        assert client.get(f"/organizations/ACME/{name}").status_code == 200
    client.post("/organizations/acme/", {"action": "role", "member": "bob", "role": "administrator"})
    assert role_of(bob) == "administrator"
    assert "membership:role" in client.get("/organizations/acme/audit").content.decode()
    for wrong in ({"role": "king"}, {"member": "nobody"}, {"member": "\0"}, {"role": "\0"}):
        sent = {"action": "role", "member": "bob", "role": "viewer", **wrong}
        assert client.post("/organizations/acme/", sent).status_code == 302
    assert role_of(bob) == "administrator"
    client.post("/organizations/acme/", {"action": "remove", "member": "bob"})
    assert not Membership.objects.filter(user=bob).exists()


def test_who_may_make_one(db: None) -> None:
    ann = make_user("ann")
    client = signed_in(ann)
    assert client.post("/organizations/", {"name": "acme"}).status_code == 400
    assert not Organization.objects.exists()
    User.objects.update(site_role="publisher")
    assert client.post("/organizations/", {"name": "Acme"})["Location"] == "/organizations/Acme/"
    assert role_of(ann) == "owner"
    assert client.post("/organizations/", {"name": "acme"}).status_code == 400
    assert client.post("/organizations/", {"name": "../x"}).status_code == 400


def test_one_person_does_not_make_them_without_end(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has quotas of its own."""
    monkeypatch.setattr(organizations, "MOST_OWNED", 2)
    ann = make_user("ann", is_superuser=True)
    for number in range(2):
        organizations.organization_found(actor=actor_of(ann), founder=ann, name=f"acme-{number}")
    with pytest.raises(Conflict):
        organizations.organization_found(actor=actor_of(ann), founder=ann, name="acme-3")


# --- accounts of programs


@pytest.fixture
def robot(acme: Organization) -> Iterator[User]:
    boss = User.objects.get(username="boss")
    yield organizations.service_account_create(actor=actor_of(boss), organization=acme, name="nightly", role="member")


def test_account_of_a_program(acme: Organization, robot: User) -> None:
    assert robot.username == "Acme-nightly"
    assert not robot.has_usable_password()
    assert robot.pk in permissions.member_ids(acme.name)


@pytest.mark.parametrize("role", ["owner", "administrator"])
def test_programs_administer_nothing(acme: Organization, robot: User, role: str) -> None:
    boss = actor_of(User.objects.get(username="boss"))
    for do in (
        lambda: organizations.role_set(actor=boss, organization=acme, user=robot, role=role),
        lambda: organizations.service_account_create(actor=boss, organization=acme, name="two", role=role),
    ):
        with pytest.raises(AppError):
            do()
    assert role_of(robot) == "member"


def test_retired_program_is_let_in_nowhere(acme: Organization, robot: User) -> None:
    boss = actor_of(User.objects.get(username="boss"))
    organizations.service_account_retire(actor=boss, organization=acme, user=robot)
    robot.refresh_from_db()
    assert not robot.is_active and robot.pk not in permissions.member_ids(acme.name)


def test_people_are_not_retired_and_others_programs_neither(acme: Organization, robot: User) -> None:
    ann = make_user("ann")
    other = organization_create(actor=OPERATOR, name="Other", owner=ann)
    for organization, actor, user in ((acme, "boss", ann), (other, "ann", robot)):
        with pytest.raises(NotFound):
            organizations.service_account_retire(
                actor=actor_of(User.objects.get(username=actor)), organization=organization, user=user
            )
    assert User.objects.filter(is_active=False).count() == 0


def test_a_program_can_not_accept_or_sign_in(acme: Organization, robot: User) -> None:
    answer: Any = Client().post("/accounts/login/", {"login": robot.username, "password": ""})
    assert answer.status_code == 200 and "_auth_user_id" not in answer.client.session


def test_every_role_has_its_row_in_the_database(acme: Organization) -> None:
    for number, role in enumerate(ROLES):
        assert member(acme, f"user-{number}", role)
