"""The page of one task: what it was asked, what it said, and what came of it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from accounts.models import User
from common import clock
from hosting.models import Deployment, TaskLine, TaskResult
from hosting.tasks.states import Outcome, State
from tests.hosting.consent import browser
from tests.hosting.task_pages.making import ASKED, EVIL, make_task, path_of

pytestmark = pytest.mark.django_db


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
    page = browser(alice).get(path_of(task)).content.decode()
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
    client = browser(alice)
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
    assert browser(alice).get(path_of(task)).status_code == 200


def test_an_error_is_told_in_words(deployment: Deployment, alice: User) -> None:
    error = {"code": -32000, "message": f"no disk {EVIL}", "data": {"free": 0}}
    task = make_task(deployment, alice, body=error, outcome=Outcome.ERROR, reason="no disk")
    page = browser(alice).get(path_of(task)).content.decode()
    assert "The call failed" in page
    assert "no disk" in page
    assert EVIL not in page


@pytest.mark.parametrize(
    ("outcome", "body"), [(Outcome.TOOL_ERROR, {"content": [], "isError": True}), (Outcome.ERROR, {"code": -32000})]
)
def test_an_error_without_words_is_still_told_as_one(
    deployment: Deployment, alice: User, outcome: Outcome, body: dict[str, Any]
) -> None:
    page = browser(alice).get(path_of(make_task(deployment, alice, body=body, outcome=outcome))).content.decode()
    assert "It ended with an error that says nothing more." in page
    assert "gave nothing back" not in page


def test_a_link_to_visit_is_shown_with_its_real_domain(deployment: Deployment, alice: User) -> None:
    def page_with(url: str) -> str:
        asked = {"method": "elicitation/create", "params": {"mode": "url", "message": "Go there", "url": url}}
        task = make_task(deployment, alice, questions={"q1": asked}, state=State.INPUT_REQUIRED)
        return browser(alice).get(path_of(task)).content.decode()

    assert "Open xn--pypal-4ve.com" in page_with("https://p\u0430ypal.com/go")
    for bad in ("javascript:alert(1)", "https://paypal.com@evil.org/", "https://a b.org/", "//evil.org", ""):
        page = page_with(bad)
        assert "an address that is not opened" in page and 'href="javascript' not in page
        assert "I agree" not in page


def test_a_foreign_page_is_said_to_be_one_and_opened_by_a_click_only(deployment: Deployment, alice: User) -> None:
    url = "https://login.example.org/go?a=1"
    asked = {"method": "elicitation/create", "params": {"mode": "url", "message": "Go there", "url": url}}
    task = make_task(deployment, alice, questions={"q1": asked}, state=State.INPUT_REQUIRED)
    page = browser(alice).get(path_of(task)).content.decode()
    assert "https://<strong>login.example.org</strong>/go?a=1" in page
    assert "not part of this site" in page
    assert page.count(url) == 1  # the link; nothing is fetched ahead
    assert f'href="{url}" target="_blank" rel="noopener noreferrer nofollow"' in page
    assert "The name is not what it looks like" not in page


def test_a_page_that_a_rule_refuses_by_now_is_not_opened(deployment: Deployment, alice: User, settings: Any) -> None:
    settings.SLIPWAY_PAGES, settings.SLIPWAY_PAGES_HOSTS = "listed", ["example.com"]
    asked = {"method": "elicitation/create", "params": {"mode": "url", "url": "https://evil.example.org/"}}
    task = make_task(deployment, alice, questions={"q1": asked}, state=State.INPUT_REQUIRED)
    page = browser(alice).get(path_of(task)).content.decode()
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
    page = browser(alice).get(path_of(task)).content.decode()
    assert f"in the words of {deployment.label}" in page
    assert EVIL not in page and "&lt;script&gt;" in page
    assert 'href="https://evil' not in page
    assert '"accept">Approve' in page and '"decline">Reject' in page and "Submit" not in page


def test_what_only_a_client_can_answer_can_be_refused(deployment: Deployment, alice: User) -> None:
    asked = {"method": "sampling/createMessage", "params": {"messages": [EVIL], "maxTokens": 5}}
    task = make_task(deployment, alice, questions={"q1": asked}, state=State.INPUT_REQUIRED)
    page = browser(alice).get(path_of(task)).content.decode()
    assert "The client has to answer this" in page
    assert EVIL not in page


def test_fields_stand_in_the_order_in_which_they_were_asked(deployment: Deployment, alice: User) -> None:
    """jsonb would sort them by the length of their names."""
    properties = {"the_first": {"type": "string"}, "b": {"type": "string"}, "aa": {"type": "string"}}
    asked = {"method": "elicitation/create", "params": {"requestedSchema": {"properties": properties}}}
    task = make_task(deployment, alice, questions={"q1": asked}, state=State.INPUT_REQUIRED)
    form = browser(alice).get(path_of(task)).context["questions"][0]["form"]
    assert [field.label for field in form.fields.values()] == list(properties)


def test_a_table_within_a_result_is_a_table(deployment: Deployment, alice: User) -> None:
    value = {"total": 2, "name": EVIL, "hosts": [{"id": 1}, {"id": 2}], "other": {"a": [1]}}
    task = make_task(deployment, alice, body={"content": [], "structuredContent": value})
    page = browser(alice).get(path_of(task))
    assert page.context["result"].facts == [("total", "2"), ("name", EVIL)]
    members = page.context["result"].members
    assert [(name, bool(table)) for name, table, _ in members] == [("hosts", True), ("other", False)]
    assert EVIL not in page.content.decode()
