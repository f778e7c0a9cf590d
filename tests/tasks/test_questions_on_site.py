"""A real server's questions, from its call to the person's page and back: forms that no client shows, pages, approvals,
and what is refused. Both eras of clients, and another user who gets nothing of it."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.e2e.person import PASSWORD
from tests.tasks.conftest import PATIENCE, Hosted, LegacyTasks
from tests.tasks.test_modern_clients import EXTENSION, ModernTasks
from tests.tasks.test_other_clients import task_id_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
FORM: dict[str, Any] = {
    "message": "Which deploy?",
    "requestedSchema": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "default": "Ada"},
            "count": {"type": "integer", "default": 3},
            "stage": {"type": "string", "enum": ["a", "b"], "enumNames": ["First", "Second"], "default": "b"},
            "tier": {"type": "string", "oneOf": [{"const": "s", "title": "Small"}, {"const": "l", "title": "Large"}]},
            "tags": {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}, "default": ["y"]},
            "parts": {"type": "array", "items": {"anyOf": [{"const": "p", "title": "Part"}]}},
            "sure": {"type": "boolean", "default": True},
        },
        "required": ["name", "tier"],
    },
}
URL = {"mode": "url", "message": "Sign the contract", "url": "https://sign.example.org/c?id=7"}
APPROVAL = {
    "message": "Delete 3 files?",
    "requestedSchema": {"type": "object", "properties": {"ok": {"type": "boolean"}}},
    "_meta": {"slipway/approval": {"title": "Delete 3 files", "rows": [{"label": "Bucket", "value": "prod"}]}},
}
SECRET = {"message": "Sign in", "requestedSchema": {"type": "object", "properties": {"password": {"type": "string"}}}}


@dataclass
class Browser:
    """A signed-in person's, without JavaScript."""

    http: httpx.AsyncClient

    async def see(self, path: str, text: str = 'name="key"') -> str:
        """The page, once `text` stands on it: a question is written down a moment after its call became a task."""
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await self.http.get(path)
                assert answer.status_code == 200, answer.status_code
                if text in answer.text:
                    return answer.text
                await asyncio.sleep(0.2)  # without JavaScript people reload

    async def answer(self, path: str, action: str, **fields: Any) -> str:
        page = await self.see(path)
        found = [re.search(rf'name="{name}" value="([^"]+)"', page) for name in ("csrfmiddlewaretoken", "key")]
        token, key = [html.unescape(each[1]) for each in found if each is not None]
        data = {"csrfmiddlewaretoken": token, "key": key, "action": action, **fields}
        answer = await self.http.post(f"{path}answer", data=data, headers={"Referer": str(self.http.base_url)})
        assert answer.status_code in (200, 302), answer.text
        return answer.text  # of the page that it leads to


PREPARE = """
from events.actors import OPERATOR
from hosting.configuration import configuring
from hosting.tools import records as tools
from hosting.models import Deployment
asking = Deployment.objects.get(name="asking")
tools.approval_set(actor=OPERATOR, deployment=asking, approval="automatic")
configuring.tasks_set(actor=OPERATOR, deployment=asking, asks_on_site=True)
"""


@pytest.fixture(scope="module")
def asking(hosted: Hosted) -> Hosted:
    """The same server, whose owner lets it ask on the site."""
    words = ("pypi:slipway-test-legacy", "--owner", "alice", "--name", "asking", "--access", "public")
    url = hosted.site.manage("host", *words).stdout.strip()
    hosted.site.manage("shell", "-c", PREPARE)
    token = hosted.site.manage("issue_token", "--user", "alice", "--deployment", "alice/asking").stdout.strip()
    return Hosted(hosted.site, url, token, "")


@asynccontextmanager
async def browser(asking: Hosted, name: str) -> AsyncIterator[Browser]:
    link = asking.site.manage("sign_in_link", "--user", name).stdout.strip()
    async with httpx.AsyncClient(base_url=asking.site.url, follow_redirects=True, timeout=PATIENCE) as http:
        page = await http.get(link)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token is not None
        sent = {"csrfmiddlewaretoken": token[1], "password": PASSWORD}
        await http.post(link, data=sent, headers={"Referer": asking.site.url})
        yield Browser(http)


@pytest.fixture
async def alice(asking: Hosted) -> AsyncIterator[Browser]:
    async with browser(asking, "alice") as made:
        yield made


@pytest.fixture
async def plain(asking: Hosted) -> AsyncIterator[LegacyTasks]:
    """A client that shows no questions."""
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = LegacyTasks(asking.url, asking.token, http)
        client.capabilities = {}
        await client.initialize()
        yield client


def page_in(words: str, task_id: str) -> str:
    found = re.search(rf"https?://[^\s]+(/tasks/{task_id}/)", words)
    assert found is not None, words
    return found[1]


async def begun(client: LegacyTasks, params: Any) -> tuple[str, str]:
    """(task id, path of its page) of a call whose server asks `params`."""
    words = await client.call("demand", method="elicitation/create", params=params)
    task_id = task_id_of(words)
    return task_id, page_in(words, task_id)


async def test_a_form_that_the_client_can_not_show_is_answered_on_the_site(
    asking: Hosted, plain: LegacyTasks, alice: Browser
) -> None:
    task_id, path = await begun(plain, FORM)
    page = await alice.see(path)
    assert path in await plain.call("task_status", task_id=task_id)
    assert (await plain.get(task_id))["result"]["status"] == "working"  # nothing that this client could answer
    assert "Which deploy?" in page and "Second" in page and "Large" in page and 'value="Ada"' in page
    fields = {"f0": "Ada", "f1": "3", "f2": "b", "f3": "l", "f4": "y", "f6": "on"}
    assert "Your answer was taken." in await alice.answer(path, "accept", **fields)
    answered = json.loads(await plain.call("task_result", task_id=task_id))
    content = {"name": "Ada", "count": 3, "stage": "b", "tier": "l", "tags": ["y"], "parts": [], "sure": True}
    assert answered["action"] == "accept"
    assert {**answered["content"], "parts": []} == content


async def test_only_its_own_user_is_asked(asking: Hosted, plain: LegacyTasks) -> None:
    task_id, path = await begun(plain, FORM)
    async with browser(asking, "bob") as bob:
        assert (await bob.http.get(path)).status_code == 404
        sent = {"key": "site-q1", "action": "accept"}
        assert (await bob.http.post(f"{path}answer", data=sent)).status_code in (403, 404)
    await plain.call("task_cancel", task_id=task_id)


async def test_a_page_to_visit_is_shown_and_never_opened_by_itself(plain: LegacyTasks, alice: Browser) -> None:
    task_id, path = await begun(plain, URL)
    page = await alice.see(path)
    assert "https://<strong>sign.example.org</strong>/c?id=7" in page and "not part of this site" in page
    await alice.answer(path, "accept")
    assert json.loads(await plain.call("task_result", task_id=task_id)) == {"action": "accept"}


@pytest.mark.parametrize(
    ("action", "told"),
    [("accept", {"action": "accept", "content": {"ok": True}}), ("decline", {"action": "decline"})],
)
async def test_an_approval(plain: LegacyTasks, alice: Browser, action: str, told: Any) -> None:
    task_id, path = await begun(plain, APPROVAL)
    page = await alice.see(path)
    assert "in the words of alice/asking" in page and "Bucket" in page and "Reject" in page
    await alice.answer(path, action)
    assert json.loads(await plain.call("task_result", task_id=task_id)) == told


async def test_a_form_that_asks_for_a_secret_is_shown_to_nobody_and_its_owner_reads_why(
    asking: Hosted, plain: LegacyTasks, alice: Browser
) -> None:
    told = json.loads(await plain.call("demand", method="elicitation/create", params=SECRET))
    assert told["code"] == -32602 and "asks for a secret" in told["message"]
    assert await alice.see("/d/alice/asking/logs", "asks for a secret")


async def test_a_modern_client_without_forms_is_answered_with_the_page_too(asking: Hosted, alice: Browser) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = ModernTasks(asking.url, asking.token, http)
        result = await client.call("demand", {}, method="elicitation/create", params=APPROVAL)
        words = result["content"][0]["text"]
        task_id = task_id_of(words)
        await alice.answer(page_in(words, task_id), "accept")
        done = await client.call("task_result", {}, task_id=task_id)
    assert json.loads(done["content"][0]["text"])["action"] == "accept"


async def test_a_client_that_knows_tasks_and_no_forms_is_given_a_task_that_says_where(
    asking: Hosted, alice: Browser
) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        client = ModernTasks(asking.url, asking.token, http)
        declared: dict[str, Any] = {"extensions": {EXTENSION: {}}}
        created = await client.call("demand", declared, method="elicitation/create", params=APPROVAL)
        assert (created["resultType"], created["status"]) == ("task", "working")
        path = page_in(created["statusMessage"], created["taskId"])
        seen = (await client.ask("tasks/get", {"taskId": created["taskId"]}, declared))["result"]
        assert "inputRequests" not in seen
        await alice.answer(path, "accept")
        done = await client.until(created["taskId"], "completed")
    assert json.loads(done["result"]["content"][0]["text"])["content"] == {"ok": True}
