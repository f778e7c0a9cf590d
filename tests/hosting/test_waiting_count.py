"""The number on every page costs one query while nothing waits, and no more for a hundred things than for one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, User
from accounts.services import organization_create
from common import clock
from hosting.credentials.eliciting import OWN_PAGE
from hosting.models import Deployment, Elicitation, Task
from hosting.waiting.selectors import waiting_count, waiting_of
from oauth.models import Connection
from tests.factories import actor_of, make_deployment, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def servers(bob: User) -> list[Deployment]:
    """Of an organization in which bob may call."""
    alice = make_user("alice")
    acme = organization_create(actor=actor_of(alice), name="acme", owner=alice)
    Membership.objects.create(organization=acme, user=bob, role=Membership.Role.MEMBER)
    made = [make_deployment(alice, f"server{number}") for number in range(6)]
    Deployment.objects.update(owner=acme.name, personal_accounts=["env:TOKEN"])
    return made


def page(user: User, server: Deployment, client: str = "cli", *, minutes: int = 10) -> Elicitation:
    expires_at = clock.now() + timedelta(minutes=minutes)
    return Elicitation.objects.create(user=user, deployment=server, client_id=client, expires_at=expires_at)


def account(user: User, server: Deployment, state: str) -> Connection:
    return Connection.objects.create(user=user, subject_id=server.pk, name="env:TOKEN", state=state, server={})


def task(user: User, server: Deployment, state: str = "input_required") -> Task:
    return Task.objects.create(
        deployment=server, user=user, principal=str(user.pk), origin=Task.Origin.MODERN, revision="2026-07-28",
        tool="work", params="{}", state=state,
    )  # fmt: skip


def asked(user: User) -> tuple[int, int]:
    """(what waits, queries)"""
    with CaptureQueriesContext(connection) as captured:
        count = waiting_count(user.pk)
    return count, len(captured.captured_queries)


def test_nothing_waits_in_one_query(bob: User, servers: list[Deployment]) -> None:
    account(bob, servers[0], Connection.State.CONNECTED)
    task(bob, servers[0], "working")
    assert asked(bob) == (0, 1)


def test_what_only_may_wait_does_not_count(bob: User, servers: list[Deployment]) -> None:
    page(bob, servers[0], minutes=-1)
    page(bob, servers[0], OWN_PAGE)
    page(make_user("carol"), servers[0])
    Deployment.objects.filter(pk=servers[1].pk).update(state="deleting")
    page(bob, servers[1])
    account(bob, servers[1], Connection.State.AGAIN)
    assert asked(bob)[0] == 0 == len(waiting_of(bob.pk))


def test_many_of_all_kinds_ask_no_more_queries_than_one_of_each(bob: User, servers: list[Deployment]) -> None:
    page(bob, servers[0])
    account(bob, servers[1], Connection.State.AGAIN)
    task(bob, servers[0])
    count, queries = asked(bob)
    assert count == 3 == len(waiting_of(bob.pk)) and queries == 5
    for server in servers[2:]:
        page(bob, server)
        page(bob, server, "another")
        task(bob, server)
    account(bob, servers[3], Connection.State.AGAIN)  # a page of that server says so already
    assert asked(bob) == (15, queries) and len(waiting_of(bob.pk)) == 15


def test_who_may_no_longer_call_is_asked_nothing(bob: User, servers: list[Deployment]) -> None:
    page(bob, servers[0])
    account(bob, servers[1], Connection.State.AGAIN)
    assert waiting_count(bob.pk) == 2
    Membership.objects.filter(user=bob).update(role=Membership.Role.VIEWER)
    assert waiting_count(bob.pk) == 0 == len(waiting_of(bob.pk))
