"""Names that look like others, reports, and taking down (threat 34: typosquats and stolen names)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.services import user_create
from common.errors import AppError
from events.actors import ANONYMOUS, OPERATOR, person
from events.models import AuditEntry
from registry.models import HeldName, Report, Server, ServerVersion
from registry.moderation import services
from registry.moderation.confusables import distance, skeleton
from registry.moderation.holding import hold_reason
from registry.search.finding import Search, find
from tests.registry.entries import publish

pytestmark = pytest.mark.django_db
MODERATION = "/registry/moderation/"


@pytest.fixture
def known() -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        publish("io.github.modelcontext/filesystem", version)
    publish("com.example-bank/payments")
    publish("io.github.alice/tools")


@pytest.fixture
def operator() -> User:
    return user_create(actor=OPERATOR, name="olga", password="calm harbour at seven", is_superuser=True)


@pytest.fixture
def member() -> User:
    return user_create(actor=OPERATOR, name="mary", password="calm harbour at seven")


@pytest.mark.parametrize(
    ("name", "resembles"),
    [
        ("io.github.rnodelcontext/filesystem", "io.github.modelcontext/filesystem"),  # rn for m
        ("io.github.m0delcontext/anything", "io.github.modelcontext/filesystem"),
        ("io.github.model-context/other", "io.github.modelcontext/filesystem"),
        ("com.examp1e-bank/payments", "com.example-bank/payments"),
        ("com.exarnple-bank/accounts", "com.example-bank/payments"),
        ("io.github.al1ce/tools", "io.github.alice/tools"),
        ("io.github.mallory/filesytem", "io.github.modelcontext/filesystem"),  # a letter left out
        ("io.github.mallory/fileysstem", "io.github.modelcontext/filesystem"),  # two swapped
        ("io.github.mallory/mcp-filesystemm", "io.github.modelcontext/filesystem"),
    ],
)
def test_name_that_looks_like_another_is_held(known: None, name: str, resembles: str) -> None:
    assert "/registry/review/" + name in hold_reason(name)
    assert HeldName.objects.get().resembles == resembles
    assert hold_reason(name) and HeldName.objects.count() == 1  # asked again: the same row


@pytest.mark.parametrize(
    "name",
    [
        "io.github.modelcontext/filesystem",  # it is there: a new version of it
        "io.github.modelcontext/filesytem",  # whoever owns the namespace may call things as they like
        "io.github.ModelContext/another",  # GitHub's names are the same whatever the case
        "io.github.bob/filesystem",  # the same name by another owner is no disguise
        "io.github.bob/tool",
        "org.unrelated/weather",
    ],
)
def test_other_names_are_not_held(known: None, name: str) -> None:
    assert hold_reason(name) == ""
    assert not HeldName.objects.exists()


def test_decision_of_an_operator_counts(known: None, operator: User) -> None:
    name = "io.github.al1ce/tools"
    hold_reason(name)
    services.name_decide(actor=person(operator.pk), name=name, is_allowed=False, note="Pretends to be Alice.")
    assert "refused" in hold_reason(name) and "Pretends to be Alice." in hold_reason(name)
    services.name_decide(actor=person(operator.pk), name=name, is_allowed=True)
    assert hold_reason(name) == ""
    assert [row.action for row in AuditEntry.objects.filter(subject_id=name).order_by("id")] == [
        "name:refuse",
        "name:allow",
    ]


def test_imported_look_alike_is_marked_on_its_page(known: None, client: Client) -> None:
    publish("io.github.al1ce/tools")
    text = client.get("/registry/servers/io.github.al1ce/tools").content.decode()
    assert "looks like another one" in text and "io.github.alice/tools" in text


def test_review_page_tells_how_it_stands(known: None, client: Client) -> None:
    hold_reason("io.github.al1ce/tools")
    answer = client.get("/registry/review/io.github.al1ce/tools")
    assert answer.status_code == 200 and "waits for an operator" in answer.content.decode()
    assert client.get("/registry/review/io.github.nobody/x").status_code == 404
    assert client.get("/registry/review/a%00/b").status_code == 404


def test_report_needs_an_account_and_counts_once(known: None, client: Client, member: User) -> None:
    there = reverse("registry:report", args=["io.github.alice/tools"])
    assert client.get(there).status_code == 302
    client.force_login(member)
    assert client.post(there, {"kind": "nothing"}).status_code == 400
    assert client.post(there, {"kind": "malicious", "text": "x" * 3000}).status_code == 400
    assert client.post(there, {"kind": "malicious", "text": "It reads my keys"}).status_code == 302
    assert client.post(there, {"kind": "malicious"}).status_code == 400  # reported already
    assert client.get(reverse("registry:report", args=["no.such/server"])).status_code == 404
    assert Report.objects.get().text == "It reads my keys"


def test_moderation_is_for_operators(known: None, client: Client, member: User) -> None:
    assert client.get(MODERATION).status_code == 302
    client.force_login(member)
    assert client.get(MODERATION).status_code == 404
    taken = {"action": "take_down", "name": "io.github.alice/tools", "reason": "no"}
    assert client.post(MODERATION, taken).status_code == 404
    assert not Server.objects.exclude(taken_down_at=None).exists()
    for actor in (ANONYMOUS, person(member.pk)):
        refusals: list[Callable[[], object]] = [
            partial(services.take_down, actor=actor, name="io.github.alice/tools", reason="x"),
            partial(services.restore, actor=actor, name="io.github.alice/tools"),
            partial(services.name_decide, actor=actor, name="x", is_allowed=True),
            partial(services.report_close, actor=actor, report_id=1, outcome=""),
        ]
        for refused in refusals:
            with pytest.raises(AppError) as error:
                refused()
            assert error.value.status == 403


def test_operator_takes_down_and_restores(known: None, client: Client, operator: User, member: User) -> None:
    name = "io.github.alice/tools"
    services.report_make(actor=person(member.pk), name=name, kind="malicious", text="<script>alert(1)</script>")
    client.force_login(operator)
    page = client.get(MODERATION).content.decode()
    assert name in page and "<script>alert" not in page
    client.post(MODERATION, {"action": "take_down", "name": name, "reason": "It stole keys"})
    assert Server.objects.get(name=name).taken_down_at and not Report.objects.filter(closed_at=None).exists()
    assert find(Search("alice")).total == 0
    assert client.get(f"/registry/servers/{name}").status_code == 410
    assert "It stole keys" in client.get(MODERATION).content.decode()
    client.post(MODERATION, {"action": "restore", "name": name})
    assert ServerVersion.objects.get(name=name).status == "active"
    assert find(Search("alice")).total == 1


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"action": "x"},
        {"action": "close", "report": "999"},
        {"action": "close", "report": "x"},
        {"action": "restore", "name": "no.such/one"},
        {"action": "allow", "name": "no.such/one"},
        {"action": "take_down", "name": "no.such/one", "reason": "x"},
    ],
)  # noqa: E501
def test_bad_decisions_change_nothing(known: None, client: Client, operator: User, given: dict[str, str]) -> None:
    client.force_login(operator)
    answer = client.post(MODERATION, given, follow=True)
    assert answer.status_code == 200 and 'role="alert"' in answer.content.decode()


def test_skeletons_and_distances() -> None:
    assert skeleton("io.github.Paypal/x") == skeleton("io.github.paypaI/x") == skeleton("io.github.раураl/x")
    assert skeleton("a.b/c-d") == skeleton("a.b/c_d") != skeleton("a.b/c-e")
    assert [distance(one, "slack", 2) for one in ("slack", "slakc", "slck", "slacks", "stack", "chat")] == [
        0,
        1,
        1,
        1,
        1,
        3,
    ]
