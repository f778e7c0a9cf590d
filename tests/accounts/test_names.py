"""The grammar of account names, and the one namespace of users and organizations."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts import names, selectors
from accounts.models import Name, User
from accounts.services import organization_create, user_create, user_delete, user_rename
from common.errors import BadInput, Conflict
from config.urls import urlpatterns
from events.actors import OPERATOR
from events.models import AuditEntry
from tests.factories import make_user


@pytest.mark.parametrize("text", ["alice", "Alice", "a", "a-b-c", "0x1", "a" * 39, "ｆｕｌｌｗｉｄｔｈ", " alice "])
def test_good_names(text: str) -> None:
    name = names.parse(text)
    assert name.folded == name.display.lower()
    assert name.folded.isascii()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "name_missing"),
        ("   ", "name_missing"),
        ("-a", "name_invalid"),
        ("a-", "name_invalid"),
        ("a--b", "name_invalid"),
        ("a_b", "name_invalid"),
        ("a.b", "name_invalid"),
        ("a/b", "name_invalid"),
        ("straße", "name_invalid"),
        ("аlice", "name_invalid"),  # a Cyrillic а
        ("alice\n\n-", "name_invalid"),
        ("a" * 40, "name_too_long"),
        ("Admin", "name_reserved"),
        ("servers", "name_reserved"),
    ],
)
def test_bad_names_say_what_to_do(text: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        names.parse(text)
    assert caught.value.code == code
    assert caught.value.field == "name"


def test_every_first_word_of_a_path_is_reserved() -> None:
    def words(patterns: list[object]) -> set[str]:
        found: set[str] = set()
        for pattern in patterns:
            first = str(getattr(pattern, "pattern", "")).partition("/")[0]
            found |= {first} if first else words(list(getattr(pattern, "url_patterns", [])))
        return found

    words_of_site = {word for word in words(list(urlpatterns)) if word.isalnum()}
    assert {"accounts", "servers", "d", "join", "readyz"} <= words_of_site
    assert words_of_site | {"mcp", "healthz", "ws", "static", "well-known"} <= names.RESERVED


@pytest.mark.django_db
def test_case_makes_no_difference() -> None:
    user = make_user("Alice")
    assert selectors.user_get("aLICE") == user
    with pytest.raises(Conflict, match="taken"):
        make_user("ALICE")


@pytest.mark.django_db
def test_users_and_organizations_share_one_namespace() -> None:
    alice = make_user("alice")
    organization = organization_create(actor=OPERATOR, name="Acme", owner=alice)
    with pytest.raises(Conflict):
        make_user("acme")
    with pytest.raises(Conflict):
        organization_create(actor=OPERATOR, name="ALICE", owner=alice)
    assert selectors.name_get("acme").organization == organization
    assert [name.display for name in selectors.names_owned_by(alice)] == ["alice", "Acme"]


@pytest.mark.django_db
def test_a_released_name_is_never_given_out_again() -> None:
    alice = make_user("alice")
    user_rename(actor=OPERATOR, user=alice, name="alicia")
    assert selectors.name_find("alice") is None
    assert selectors.user_get("alicia") == alice
    with pytest.raises(Conflict, match="taken"):
        make_user("Alice")
    with pytest.raises(Conflict):
        user_rename(actor=OPERATOR, user=alice, name="alice")
    user_delete(actor=OPERATOR, user=alice)
    for name in ("alice", "alicia"):
        with pytest.raises(Conflict):
            make_user(name)


@pytest.mark.django_db
def test_a_change_of_case_keeps_the_name() -> None:
    alice = make_user("alice")
    user_rename(actor=OPERATOR, user=alice, name="Alice")
    assert (selectors.name_get("alice").display, User.objects.get().username) == ("Alice", "Alice")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM accounts_name WHERE folded = 'gone'",
        "UPDATE accounts_name SET folded = 'other' WHERE folded = 'gone'",
        "UPDATE accounts_name SET released_at = NULL, user_id = (SELECT id FROM accounts_user) WHERE folded = 'gone'",
    ],
)
def test_the_database_keeps_released_names_whatever_the_code_does(statement: str) -> None:
    alice = make_user("gone")
    user_rename(actor=OPERATOR, user=alice, name="alice")
    Name.objects.filter(folded="alice").update(user=None, released_at="2026-01-01T00:00:00Z")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_a_name_without_holder_that_isnt_released_is_refused() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Name.objects.create(folded="nothing", display="nothing")
    with pytest.raises(IntegrityError), transaction.atomic():
        Name.objects.create(folded="Upper", display="Upper", released_at="2026-01-01T00:00:00Z")


@pytest.mark.django_db
def test_users_made_by_any_way_have_a_name() -> None:
    user = User.objects.create_superuser("Root-1", password="x")
    assert user.name.folded == "root-1"
    with pytest.raises(BadInput):
        User.objects.create_user("admin")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ROOT-1")


@pytest.mark.django_db
def test_making_a_user_is_audited_and_gives_no_way_to_sign_in() -> None:
    user = user_create(actor=OPERATOR, name="alice")
    assert not user.has_usable_password()
    assert not user.is_superuser
    assert AuditEntry.objects.filter(action="user:create", subject_id=str(user.pk), actor="operator").exists()
