"""The pages of tasks: what they show, to whom, and what their forms refuse."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from common import clock
from events.actors import OPERATOR
from hosting.access.members import member_add
from hosting.models import Deployment, DeploymentVersion, Task, TaskLine, TaskResult, Tool
from hosting.tasks.states import Outcome, State
from hosting.tools.records import tools_seen
from tests.factories import make_deployment, make_user
from tests.nonces import without_nonces

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script>"
ASKED = {
    "method": "elicitation/create",
    "params": {
        "message": f"Go on? {EVIL}",
        "requestedSchema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    },
}
ACTIONS = ["cancel", "answer", "again"]


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def bob() -> User:
    return make_user("bob")


@pytest.fixture
def deployment(alice: User) -> Deployment:
    return make_deployment(alice, access="public")


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def make_task(deployment: Deployment, user: User | None, *, body: Any = None, **fields: Any) -> Task:
    arguments = {"name": fields.get("tool", "work"), "arguments": {"path": f"/srv/{EVIL}", "api_key": "hunter2"}}
    base: dict[str, Any] = {
        "deployment": deployment,
        "version": deployment.current_version,
        "user": user,
        "principal": str(user.pk) if user else "anonymous",
        "client": "c1",
        "client_info": json.dumps({"name": "claude", "title": EVIL, "version": "2"}),
        "origin": Task.Origin.MODERN,
        "revision": "2026-07-28",
        "tool": "work",
        "params": json.dumps({**arguments, "_meta": {"progressToken": 5}}),
        "state": State.WORKING,
    }
    if body is not None:
        now = clock.now()
        base |= {"state": State.ENDED, "outcome": Outcome.RESULT, "ended_at": now}
    task = Task.objects.create(**{**base, **fields})
    if body is not None:
        TaskResult.objects.create(task=task, body=json.dumps(body).encode())
    return task


def path_of(task: Task, action: str = "") -> str:
    return f"/tasks/{task.id}/{action}"


# --- who sees what


@pytest.mark.parametrize("action", ["", "result", "content/0"])
def test_anothers_task_is_no_task(deployment: Deployment, alice: User, bob: User, action: str) -> None:
    """The deployment's owner is another, too."""
    task = make_task(deployment, bob, body={"content": [{"type": "text", "text": "x"}]})
    assert as_user(bob).get(path_of(task, "result")).status_code == 200
    foreign, unknown = [as_user(alice).get(f"/tasks/{each}/{action}") for each in (task.id, "x" * len(task.id))]
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert without_nonces(foreign.content) == without_nonces(unknown.content)


@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_else_acts_on_it(deployment: Deployment, alice: User, bob: User, action: str) -> None:
    task = make_task(deployment, bob, questions={"q1": ASKED}, state=State.INPUT_REQUIRED)
    assert as_user(alice).post(path_of(task, action), {"key": "q1", "action": "decline"}).status_code == 404
    assert Client().post(path_of(task, action)).status_code == 302
    assert as_user(bob).get(path_of(task, action)).status_code == 405
    task.refresh_from_db()
    assert (task.state, Task.objects.count()) == (State.INPUT_REQUIRED, 1)


@pytest.mark.parametrize("odd", ["x", "%00", "x" * 300, "..", "%2e%2e", "⟦"])
def test_odd_ids_are_no_tasks(alice: User, odd: str) -> None:
    assert as_user(alice).get(f"/tasks/{odd}/").status_code == 404


def test_an_anonymous_callers_task_has_no_page(deployment: Deployment, alice: User) -> None:
    task = make_task(deployment, None)
    assert as_user(alice).get(path_of(task)).status_code == 404


def test_an_owner_sees_that_others_tasks_ran_and_nothing_of_them(
    deployment: Deployment, alice: User, bob: User
) -> None:
    make_task(deployment, bob, tool="dig", reason="SAID", progress={"message": "SAID"}, questions={"q": "SAID"})
    make_task(deployment, None, tool="dig", params="SAID", body={"content": [{"type": "text", "text": "SAID"}]})
    make_task(deployment, alice, tool="mine")
    page = as_user(alice).get("/d/alice/time/tasks")
    assert [(row["head"].tool, row["head"].who) for row in page.context["heads"]] == [
        ("mine", "alice"),
        ("dig", ""),
        ("dig", "bob"),
    ]
    for secret in ("SAID", "hunter2", "/srv/"):
        assert secret not in page.content.decode()
    assert len(as_user(alice).get("/d/alice/time/tasks?state=done").context["heads"]) == 1
    own = as_user(bob).get("/d/alice/time/tasks")
    assert [shown.task.tool for shown in own.context["tasks"]] == ["dig"]


# --- lists


def test_the_list_is_ones_own_newest_first_and_filtered(deployment: Deployment, alice: User, bob: User) -> None:
    make_task(deployment, bob, tool="his")
    other = make_deployment(alice, "other")
    make_task(deployment, alice, tool="first", state=State.INPUT_REQUIRED)
    make_task(other, alice, tool="second", body={"content": []})
    client = as_user(alice)

    def tools(query: str = "") -> list[str]:
        return [shown.task.tool for shown in client.get(f"/tasks/{query}").context["tasks"]]

    assert tools() == ["second", "first"]
    assert tools("?state=input_required") == ["first"]
    assert tools("?state=done") == ["second"]
    assert tools("?state=working") == []
    assert tools(f"?server={other.pk}") == ["second"]
    for odd in ("?state=x", "?server=x", "?after=x", "?after=2020~x", "?after=%00", f"?after={'9' * 500}"):
        assert tools(odd) == ["second", "first"]


def test_the_list_has_pages(deployment: Deployment, alice: User) -> None:
    now = clock.now()
    for i in range(35):
        make_task(deployment, alice, created_at=now - timedelta(seconds=i), state=State.ACCEPTED)
    client = as_user(alice)
    first = client.get("/tasks/?state=working")
    second = client.get(f"/tasks/?{first.context['older']}")
    assert (len(first.context["tasks"]), len(second.context["tasks"]), second.context["older"]) == (30, 5, "")


def test_an_empty_list_says_what_a_task_is(alice: User) -> None:
    assert "A task is a tool call that goes on by itself" in as_user(alice).get("/tasks/").content.decode()
    assert Client().get("/tasks/").status_code == 302


def test_the_header_counts_what_waits_for_an_answer(deployment: Deployment, alice: User, bob: User) -> None:
    for user in (alice, alice, bob):
        make_task(deployment, user, state=State.INPUT_REQUIRED)
    page = as_user(alice).get("/servers/").content.decode()
    assert "2 things wait for you" in page
    carol = as_user(make_user("carol")).get("/servers/").content.decode()
    assert "data-waiting-count" in carol
    assert "0 things wait for you" in carol  # hidden until there is one


@pytest.mark.parametrize("path", ["/tasks/", "/d/alice/time/tasks", "TASK"])
def test_pages_need_few_queries(
    deployment: Deployment, alice: User, path: str, django_assert_max_num_queries: Any
) -> None:
    tasks = [make_task(deployment, alice) for _ in range(5)]
    client = as_user(alice)
    with django_assert_max_num_queries(16):
        assert client.get(path_of(tasks[0]) if path == "TASK" else path).status_code == 200


# --- one task


def test_the_page_tells_all_of_it_as_text(deployment: Deployment, alice: User) -> None:
    task = make_task(
        deployment,
        alice,
        questions={"q1": ASKED},
        state=State.INPUT_REQUIRED,
        progress={"progress": 30, "total": 60, "message": "digging"},
        samples=[[clock.now().timestamp() - 10, 10], [clock.now().timestamp(), 30]],
        reason="digging",
        started_at=clock.now(),
        instance="0123456789abcdef",
    )
    TaskLine.objects.create(task=task, seq=1, level="info", text=f"line {EVIL}\u202e")
    page = as_user(alice).get(path_of(task)).content.decode()
    assert EVIL not in page
    assert "hunter2" not in page
    told = ("50 %", "2 a second", "left", "digging", "Needs an answer", "Submit", "⟦U+202E⟧", "[hidden]", "89abcdef")
    for words in told:
        assert words in page, words
    assert page.count("&lt;script&gt;") >= 4


def test_a_result_is_taken_apart(deployment: Deployment, alice: User) -> None:
    png = base64.b64encode(b"\x89PNG not really").decode()
    body = {
        "content": [
            {"type": "text", "text": f"hello {EVIL}"},
            {"type": "image", "data": png, "mimeType": "image/png"},
            {"type": "image", "data": base64.b64encode(EVIL.encode()).decode(), "mimeType": "text/html"},
            {"type": "audio", "data": png, "mimeType": "audio/wav"},
            {"type": "resource_link", "uri": "javascript:alert(1)", "name": "bad"},
            {"type": "resource_link", "uri": "https://example.org/x", "name": "good"},
            {"type": "resource", "resource": {"uri": "file:///a", "text": EVIL, "mimeType": "text/html"}},
            {"type": "unheard-of", "x": EVIL},
            None,
        ],
        "structuredContent": {"result": [{"id": 1, "name": EVIL}, {"id": 2, "name": "b"}]},
    }
    task = make_task(deployment, alice, body=body)
    client = as_user(alice)
    page = client.get(path_of(task)).content.decode()
    assert EVIL not in page
    assert 'href="javascript:' not in page
    assert 'href="https://example.org/x"' in page
    assert f'src="{path_of(task, "content/1")}"' in page
    assert '<th scope="col">name</th>' in page
    image = client.get(path_of(task, "content/1"))
    assert (image["Content-Type"], image.content) == ("image/png", b"\x89PNG not really")
    for number in (1, 2, 3, 6):
        file = client.get(path_of(task, f"content/{number}"))
        assert file["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in file["Content-Security-Policy"]
        assert "html" not in file["Content-Type"]
    assert client.get(path_of(task, "content/2"))["Content-Disposition"].startswith("attachment")
    for number in (0, 4, 8, 9, 10**9):
        assert client.get(path_of(task, f"content/{number}")).status_code == 404
    whole = client.get(path_of(task, "result"))
    assert json.loads(whole.content) == body
    assert whole["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b'{"content": 5}', b'{"structuredContent": [[[1]]]}', b"{}"]
)
def test_odd_results_still_make_a_page(deployment: Deployment, alice: User, body: bytes) -> None:
    task = make_task(deployment, alice, body={})
    TaskResult.objects.update(body=body)
    assert as_user(alice).get(path_of(task)).status_code == 200


def test_an_error_is_told_in_words(deployment: Deployment, alice: User) -> None:
    error = {"code": -32000, "message": f"no disk {EVIL}", "data": {"free": 0}}
    task = make_task(deployment, alice, body=error, outcome=Outcome.ERROR, reason="no disk")
    page = as_user(alice).get(path_of(task)).content.decode()
    assert "The call failed" in page
    assert "no disk" in page
    assert EVIL not in page


def test_a_link_to_visit_is_shown_with_its_real_domain(deployment: Deployment, alice: User) -> None:
    def page_with(url: str) -> str:
        asked = {"method": "elicitation/create", "params": {"mode": "url", "message": "Go there", "url": url}}
        task = make_task(deployment, alice, questions={"q1": asked}, state=State.INPUT_REQUIRED)
        return as_user(alice).get(path_of(task)).content.decode()

    assert "Open xn--pypal-4ve.com" in page_with("https://p\u0430ypal.com/go")
    for bad in ("javascript:alert(1)", "https://paypal.com@evil.org/", "https://a b.org/", "//evil.org", ""):
        page = page_with(bad)
        assert "an address that is not opened" in page and 'href="javascript' not in page
        assert "I agree" not in page


def test_a_foreign_page_is_said_to_be_one_and_opened_by_a_click_only(deployment: Deployment, alice: User) -> None:
    url = "https://login.example.org/go?a=1"
    asked = {"method": "elicitation/create", "params": {"mode": "url", "message": "Go there", "url": url}}
    task = make_task(deployment, alice, questions={"q1": asked}, state=State.INPUT_REQUIRED)
    page = as_user(alice).get(path_of(task)).content.decode()
    assert "https://<strong>login.example.org</strong>/go?a=1" in page
    assert "not part of this site" in page
    assert page.count(url) == 1  # the link; nothing is fetched ahead
    assert f'href="{url}" target="_blank" rel="noopener noreferrer nofollow"' in page
    assert "The name is not what it looks like" not in page


def test_a_page_that_a_rule_refuses_by_now_is_not_opened(deployment: Deployment, alice: User, settings: Any) -> None:
    settings.SLIPWAY_PAGES, settings.SLIPWAY_PAGES_HOSTS = "listed", ["example.com"]
    asked = {"method": "elicitation/create", "params": {"mode": "url", "url": "https://evil.example.org/"}}
    task = make_task(deployment, alice, questions={"q1": asked}, state=State.INPUT_REQUIRED)
    page = as_user(alice).get(path_of(task)).content.decode()
    assert "evil.example.org is not among the hosts that the operator of this site allows" in page
    assert "I agree" not in page and 'href="https://evil' not in page


def test_an_approval_shows_what_is_approved_as_the_servers_words(deployment: Deployment, alice: User) -> None:
    said = {
        "title": f"Delete {EVIL}",
        "text": "See https://evil.example.org",
        "rows": [{"label": "From", "value": EVIL}],
    }
    params = {"message": "Delete?", "_meta": {"slipway/approval": said}, "requestedSchema": {"type": "object"}}
    asked = {"method": "elicitation/create", "params": params}
    task = make_task(deployment, alice, questions={"q1": asked}, state=State.INPUT_REQUIRED)
    page = as_user(alice).get(path_of(task)).content.decode()
    assert f"in the words of {deployment.label}" in page
    assert EVIL not in page and "&lt;script&gt;" in page
    assert 'href="https://evil' not in page
    assert '"accept">Approve' in page and '"decline">Reject' in page and "Submit" not in page


def test_what_only_a_client_can_answer_can_be_refused(deployment: Deployment, alice: User) -> None:
    asked = {"method": "sampling/createMessage", "params": {"messages": [EVIL], "maxTokens": 5}}
    task = make_task(deployment, alice, questions={"q1": asked}, state=State.INPUT_REQUIRED)
    page = as_user(alice).get(path_of(task)).content.decode()
    assert "The client has to answer this" in page
    assert EVIL not in page


def test_fields_stand_in_the_order_in_which_they_were_asked(deployment: Deployment, alice: User) -> None:
    """jsonb would sort them by the length of their names."""
    properties = {"the_first": {"type": "string"}, "b": {"type": "string"}, "aa": {"type": "string"}}
    asked = {"method": "elicitation/create", "params": {"requestedSchema": {"properties": properties}}}
    task = make_task(deployment, alice, questions={"q1": asked}, state=State.INPUT_REQUIRED)
    form = as_user(alice).get(path_of(task)).context["questions"][0]["form"]
    assert [field.label for field in form.fields.values()] == list(properties)


def test_a_table_within_a_result_is_a_table(deployment: Deployment, alice: User) -> None:
    value = {"total": 2, "name": EVIL, "hosts": [{"id": 1}, {"id": 2}], "other": {"a": [1]}}
    task = make_task(deployment, alice, body={"content": [], "structuredContent": value})
    page = as_user(alice).get(path_of(task))
    assert page.context["result"].facts == [("total", "2"), ("name", EVIL)]
    members = page.context["result"].members
    assert [(name, bool(table)) for name, table, _ in members] == [("hosts", True), ("other", False)]
    assert EVIL not in page.content.decode()


# --- forms


def test_a_wrong_answer_is_told_at_its_field(deployment: Deployment, alice: User) -> None:
    task = make_task(deployment, alice, questions={"q1": ASKED}, state=State.INPUT_REQUIRED)
    client = as_user(alice)
    answer = client.post(path_of(task, "answer"), {"key": "q1", "action": "accept", "f0": "many"})
    assert answer.status_code == 400
    assert "Enter a whole number" in answer.content.decode()
    odd = client.post(path_of(task, "answer"), {"key": "q1", "action": "nonsense"}, follow=True)
    assert "nothing was sent" in odd.content.decode()
    task.refresh_from_db()
    assert list(task.questions) == ["q1"]


def test_a_late_answer_is_told_so(deployment: Deployment, alice: User) -> None:
    task = make_task(deployment, alice, questions={"q2": ASKED}, answered={"q1": "Inspector"})
    client = as_user(alice)
    late = client.post(path_of(task, "answer"), {"key": "q1", "action": "accept", "f0": "5"}, follow=True)
    assert "answered already, from Inspector" in late.content.decode()
    done = make_task(deployment, alice, body={})
    over = client.post(path_of(done, "answer"), {"key": "q1", "action": "decline"}, follow=True)
    assert "has ended already" in over.content.decode()
    away = client.post(path_of(task, "answer"), {"key": "q2", "action": "decline"}, follow=True)
    assert "be reached now" in away.content.decode()


def test_cancel_once(deployment: Deployment, alice: User) -> None:
    task = make_task(deployment, alice)
    client = as_user(alice)
    client.post(path_of(task, "cancel"))
    task.refresh_from_db()
    assert (task.state, task.outcome) == (State.ENDED, Outcome.CANCELLED)
    assert "ended already" in client.post(path_of(task, "cancel"), follow=True).content.decode()


def test_run_again_with_other_arguments_and_the_hidden_ones_kept(deployment: Deployment, alice: User) -> None:
    task = make_task(deployment, alice, body={})
    client = as_user(alice)
    arguments = json.dumps({"path": "/other", "api_key": "[hidden]"})
    answer = client.post(path_of(task, "again"), {"arguments": arguments})
    again = Task.objects.exclude(pk=task.pk).get()
    assert answer["Location"] == path_of(again)
    assert json.loads(again.params) == {"name": "work", "arguments": {"path": "/other", "api_key": "hunter2"}}
    assert (again.origin, again.state, again.user, again.principal) == (
        Task.Origin.PAGE,
        State.ACCEPTED,
        alice,
        str(alice.pk),
    )


@pytest.mark.parametrize("text", ["{", "[]", "5", "null", '"x"', '{"a": ' + "[" * 5000, "{" + " " * 1_000_001 + "}"])
def test_bad_arguments_start_nothing(deployment: Deployment, alice: User, text: str) -> None:
    task = make_task(deployment, alice, body={})
    answer = as_user(alice).post(path_of(task, "again"), {"arguments": text})
    assert answer.status_code == 400
    assert Task.objects.count() == 1


def test_a_form_that_is_too_large_is_refused(deployment: Deployment, alice: User) -> None:
    task = make_task(deployment, alice, body={})
    assert as_user(alice).post(path_of(task, "again"), {"arguments": " " * 3_000_000}).status_code == 400


def test_run_again_takes_access_to_the_server_now(deployment: Deployment, alice: User, bob: User) -> None:
    member_add(actor=OPERATOR, deployment=deployment, user=bob)
    task = make_task(deployment, bob, body={})
    tools_seen(deployment.pk, [{"name": "work"}])
    DeploymentVersion.objects.update(tools=[{"name": "work"}])
    Tool.objects.update(task_support="forbidden")
    client = as_user(bob)
    forbidden = client.post(path_of(task, "again"), {"arguments": "{}"})
    assert "does not let work run as a task" in forbidden.content.decode()
    Tool.objects.update(task_support="", is_enabled=False)
    off = client.post(path_of(task, "again"), {"arguments": "{}"})
    assert "switched off" in off.content.decode()
    Tool.objects.update(is_enabled=True)
    Deployment.objects.update(access="private")
    deployment.memberships.all().delete()
    lost = client.post(path_of(task, "again"), {"arguments": "{}"})
    assert lost.status_code == 400
    assert Task.objects.count() == 1
    page = client.get(path_of(task)).content.decode()
    assert "Run again" not in page
    assert 'href="/d/alice' not in page


@pytest.mark.parametrize("meta", [{}, {"slipway/asked-by": "one of 2 running calls"}])
def test_a_question_says_when_nobody_knows_which_call_asks(
    alice: User, deployment: Deployment, meta: dict[str, str]
) -> None:
    asked = {"method": "elicitation/create", "params": {"message": "Go on?", "_meta": meta}}
    task = make_task(deployment, alice, questions={"q1": asked}, state=State.INPUT_REQUIRED)
    page = as_user(alice).get(path_of(task)).content.decode()
    assert ("which of them asks" in page) is bool(meta)
