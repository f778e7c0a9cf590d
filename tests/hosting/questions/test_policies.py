"""An organization's rule about foreign pages: who sets it, what runners are told, and what is recorded."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Organization, User
from accounts.services import organization_create
from common.errors import BadInput, Forbidden, NotFound
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting.models import Deployment, QuestionPolicy, RunnerPlacement
from hosting.questions.policies import question_policy_set, refusals_note
from hosting.questions.rules import pages_of
from hosting.routing import placement_for
from hosting.runner.placement import LISTED, REFUSED, PageRule
from hosting.runner.seen import QuestionRefused
from tests.accounts.test_organizations import member, signed_in
from tests.factories import actor_of, make_deployment, make_runner, make_user, place

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(db: None) -> Organization:
    return organization_create(actor=OPERATOR, name="Acme", owner=make_user("boss"))


@pytest.fixture
def boss(acme: Organization) -> User:
    return User.objects.get(username="boss")


@pytest.fixture
def server(acme: Organization) -> Deployment:
    made = make_deployment(make_user("alice"))
    Deployment.objects.filter(pk=made.pk).update(owner=acme.name)
    return Deployment.objects.select_related("owner").get(pk=made.pk)


def test_nobody_has_said_anything(server: Deployment, settings: Any) -> None:
    settings.SLIPWAY_URL = "https://slipway.example"
    assert pages_of(server).rules == []
    assert pages_of(server, "https://mcp.far.example/mcp").own == ["mcp.far.example", "slipway.example"]


def test_the_rule_reaches_the_runner_with_the_next_call(acme: Organization, boss: User, server: Deployment) -> None:
    place(server, make_runner())
    before = RunnerPlacement.objects.get(deployment=server).generation
    question_policy_set(
        actor=actor_of(boss), organization=acme, pages=LISTED, hosts=["Login.Example.org", "*.a.example"]
    )
    placement = placement_for(server.pk)[1]
    assert placement.generation == before + 1
    assert placement.pages.rules == [PageRule("The organization Acme", LISTED, ["login.example.org", "*.a.example"])]
    entry = AuditEntry.objects.get(action="question_policy:set")
    assert entry.data == {"pages": LISTED, "hosts": ["login.example.org", "*.a.example"]}


def test_the_operators_rule_holds_for_everybody(server: Deployment, settings: Any) -> None:
    settings.SLIPWAY_PAGES, settings.SLIPWAY_PAGES_HOSTS = LISTED, ["a.example"]
    assert pages_of(server).rules == [PageRule("The operator of this site", LISTED, ["a.example"])]


def test_who_may_not_set_it(acme: Organization, server: Deployment) -> None:
    for role in ("publisher", "member", "viewer"):
        with pytest.raises(Forbidden):
            question_policy_set(actor=actor_of(member(acme, f"a-{role}", role)), organization=acme, pages=REFUSED)
    with pytest.raises(NotFound):
        question_policy_set(actor=actor_of(make_user("stranger")), organization=acme, pages=REFUSED)
    assert not QuestionPolicy.objects.exists()


@pytest.mark.parametrize(
    ("pages", "hosts"),
    [("often", []), (LISTED, ["exa mple.org"]), (LISTED, ["*.org"]), (LISTED, ["127.1"]), (LISTED, ["a.b"] * 201)],
)  # fmt: skip
def test_what_is_no_rule(acme: Organization, boss: User, pages: str, hosts: list[str]) -> None:
    with pytest.raises(BadInput):
        question_policy_set(actor=actor_of(boss), organization=acme, pages=pages, hosts=hosts)


def test_the_page(acme: Organization, boss: User) -> None:
    client = signed_in(boss)
    address = "/organizations/Acme/questions"
    assert b'value="allowed"' in client.get(address).content
    answer = client.post(address, {"action": "questions", "pages": LISTED, "hosts": "a.example\n*.b.example"})
    assert answer.status_code == 302
    assert QuestionPolicy.objects.get().hosts == ["a.example", "*.b.example"]
    assert b"*.b.example" in client.get(address).content
    answer = client.post(address, {"action": "questions", "pages": LISTED, "hosts": "a b://"})
    assert answer.status_code == 400 and b"That is no host" in answer.content


def test_the_page_is_for_administrators(acme: Organization) -> None:
    address = "/organizations/Acme/questions"
    assert Client().get(address).status_code == 302
    for user in (make_user("stranger"), member(acme, "ann", "member")):
        assert signed_in(user).get(address).status_code == 404
        assert signed_in(user).post(address, {"action": "x", "pages": REFUSED}).status_code == 404
    assert not QuestionPolicy.objects.exists()


def test_what_was_refused_is_written_down_once_a_day() -> None:
    subject, other = uuid4(), uuid4()
    said = [QuestionRefused(time.time(), "It asks for a secret."), QuestionRefused(time.time(), "host.evil.tld")]
    for _ in range(3):
        refusals_note(subject, said)
    refusals_note(other, said[:1])
    rows = AuditEntry.objects.filter(action="deployment:refuse_question", subject_id=str(subject))
    assert sorted(row.data["why"] for row in rows) == ["It asks for a secret.", "host.evil.tld"]
    refusals_note(other, [QuestionRefused(0.0, f"{number}") for number in range(100)])
    assert AuditEntry.objects.filter(subject_id=str(other)).count() == 50
