"""Data folders on pages and in the API: who is told of which, and what is refused. No runner is asked here."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from events.actors import OPERATOR
from hosting.access.members import member_add
from hosting.models import DataFolder, Deployment
from hosting.runner.folders import SHARED, key_of
from tests.api.conftest import ApiClient, token_of
from tests.factories import make_deployment, make_runner, make_user
from tests.hosting.consent import browser

pytestmark = pytest.mark.django_db
D = "deployments/alice/time/data"
LIMIT = 256 * 1024 * 1024


@pytest.fixture
def people() -> dict[str, User]:
    return {name: make_user(name) for name in ("alice", "bob", "carol")}


@pytest.fixture
def folders(people: dict[str, User]) -> dict[str, DataFolder]:
    """Bob's, Alice's own and a shared one; nothing of Carol's."""
    deployment = make_deployment(people["alice"])
    Deployment.objects.update(has_data_folder=True)
    runner = make_runner()
    for name in ("bob", "carol"):
        member_add(actor=OPERATOR, deployment=deployment, user=people[name])
    made = {}
    for name, size in (("bob", LIMIT + 1), ("alice", 1000), (SHARED, 5)):
        made[name] = DataFolder.objects.create(
            deployment=deployment, key=key_of(name), user=people.get(name), runner=runner, size_bytes=size
        )
    return made


def listed(user: User, query: str = "") -> Any:
    return ApiClient(token_of(user))("GET", f"{D}{query}").body


def test_owner_is_told_of_all_and_reads_the_shared_one_and_their_own(
    people: dict[str, User], folders: dict[str, DataFolder]
) -> None:
    items = {one["user"] or "": one for one in listed(people["alice"])["items"]}
    assert {name: one["may_read"] for name, one in items.items()} == {"bob": False, "alice": True, "": True}
    assert {name: one["is_full"] for name, one in items.items()} == {"bob": True, "alice": False, "": False}
    assert {one["limit_bytes"] for one in items.values()} == {LIMIT}
    assert items[""]["is_shared"] and not items["bob"]["is_shared"]
    page = browser(people["alice"]).get("/d/alice/time/data").content.decode()
    assert "256.0" in page and "full" in page
    assert f"{folders['alice'].key}/download" in page and f"{folders[SHARED].key}/download" in page
    assert f"{folders['bob'].key}/download" not in page and f"{folders['bob'].key}/delete" in page


def test_others_are_told_of_their_own_alone(people: dict[str, User], folders: dict[str, DataFolder]) -> None:
    assert [one["user"] for one in listed(people["bob"])["items"]] == ["bob"]
    assert listed(people["carol"])["items"] == []
    page = browser(people["carol"]).get("/d/alice/time/data")
    assert page.status_code == 200 and "Nothing kept yet" in page.content.decode()
    Deployment.objects.update(has_data_folder=False)
    assert "keeps no data" in browser(people["carol"]).get("/d/alice/time/data").content.decode()


@pytest.mark.parametrize("who", ["carol", "dave", ""])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_folder_of_another_is_none(
    people: dict[str, User], folders: dict[str, DataFolder], who: str, method: str
) -> None:
    user = people.get(who) or (make_user(who) if who else None)
    answer = ApiClient(token_of(user) if user else "")(method, f"{D}/{folders['bob'].key}")
    assert answer.status == (404 if user else 401)
    client = browser(user) if user else Client()
    response = client.get(f"/d/alice/time/data/{folders['bob'].key}/download")
    assert response.status_code == (404 if user else 302)
    assert DataFolder.objects.count() == 3


def test_owner_may_not_read_what_is_a_callers(people: dict[str, User], folders: dict[str, DataFolder]) -> None:
    answer = ApiClient(token_of(people["alice"]))("GET", f"{D}/{folders['bob'].key}")
    assert (answer.status, answer.code) == (403, "data_of_another")
    assert browser(people["alice"]).get(f"/d/alice/time/data/{folders['bob'].key}/download").status_code == 403


@pytest.mark.parametrize("key", ["0" * 32, "x", "..", "%00", "A" * 5000, key_of("bob").upper()])
def test_unknown_key_is_none(people: dict[str, User], folders: dict[str, DataFolder], key: str) -> None:
    api = ApiClient(token_of(people["alice"]))
    assert api("GET", f"{D}/{key}").status == 404
    assert api("DELETE", f"{D}/{key}").status == 404
    assert browser(people["alice"]).post(f"/d/alice/time/data/{key}/delete").status_code == 404


def test_what_is_too_large_or_no_cursor_is_refused(people: dict[str, User], folders: dict[str, DataFolder]) -> None:
    api = ApiClient(token_of(people["bob"]))
    assert api("DELETE", f"{D}/{folders['bob'].key}", {"x": "y" * 600_000}).status == 413
    assert api("GET", f"{D}?limit=201").status == 400
    first = listed(people["alice"], "?limit=2")
    rest = listed(people["alice"], f"?limit=2&cursor={first['next']}")
    assert len(first["items"]) == 2 and len(rest["items"]) == 1 and rest["next"] is None


def test_a_silent_runner_is_said(people: dict[str, User], folders: dict[str, DataFolder]) -> None:
    answer = ApiClient(token_of(people["bob"]))("GET", f"{D}/{folders['bob'].key}")
    assert (answer.status, answer.code) == (503, "runner_silent")
    client = browser(people["bob"])
    for response in (
        client.get(f"/d/alice/time/data/{folders['bob'].key}/download", follow=True),
        client.post(f"/d/alice/time/data/{folders['bob'].key}/delete", follow=True),
    ):
        assert "doesn&#x27;t answer" in response.content.decode() or "doesn’t answer" in response.content.decode()
    assert DataFolder.objects.filter(user=people["bob"]).exists()


def test_page_takes_no_other_methods(people: dict[str, User], folders: dict[str, DataFolder]) -> None:
    client = browser(people["bob"])
    assert client.post("/d/alice/time/data").status_code == 405
    assert client.get(f"/d/alice/time/data/{folders['bob'].key}/delete").status_code == 405
