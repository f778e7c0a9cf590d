"""The whole API of tasks in any order, by two users of one server, through both revisions and the site's own API.

A real site, runner and server behind it. The model knows whose each task is and how it stands; whoever does not own it
is told, in each surface, what is told of a task that never was.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.tasks.conftest import PATIENCE, Hosted, LegacyTasks
from tests.tasks.test_modern_clients import ModernTasks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PRINCIPALS = ("alice", "bob")
SURFACES = ("2025", "2026", "api")
NEVER = "n" * 32
# What a task of a tool comes to by itself: (state for 2025, state for 2026, outcome in the API)
COMES_TO = {
    "echo": ("completed", "completed", "result"),
    "fail": ("failed", "completed", "tool_error"),
    "ask": ("input_required", "input_required", ""),
}
CANCELLED = ("cancelled", "cancelled", "cancelled")
ANSWERED = ("completed", "completed", "result")


@dataclass
class Known:
    id: str
    owner: str
    tool: str
    stands: tuple[str, str, str]
    answer: str = ""  # the first one


class Person:
    """One user with a client of each revision, and a token for the API."""

    def __init__(self, hosted: Hosted, name: str, token: str) -> None:
        self.http = httpx.AsyncClient(timeout=PATIENCE)
        self.legacy = LegacyTasks(hosted.url, token, self.http)
        self.modern = ModernTasks(hosted.url, token, self.http)
        words = ("issue_token", "--user", name, "--api", "--scope", "tasks:read tasks:write")
        api_token = hosted.site.manage(*words).stdout.strip()
        self.headers = {"Authorization": f"Bearer {api_token}"}
        self.api = f"{hosted.site.url}/api/tasks"

    async def asked(self, surface: str, what: str, task_id: str, **more: Any) -> Any:
        """The answer to get, cancel or update: {"result": …} or {"error": …}, without what names the request."""
        if surface == "2025":
            message = await self.legacy.ask(f"tasks/{what}", {"taskId": task_id})
        elif surface == "2026":
            message = await self.modern.ask(f"tasks/{what}", {"taskId": task_id, **more})
        else:
            path = f"{self.api}/{task_id}" + {"get": "", "cancel": "/cancel", "update": "/answer"}[what]
            if what == "get":
                answer = await self.http.get(path, headers=self.headers)
            else:
                answer = await self.http.post(path, headers=self.headers, json=more)
            message = {"result" if answer.is_success else "error": answer.json(), "status": answer.status_code}
        return {name: value for name, value in message.items() if name in ("result", "error", "status")}


class TwoPrincipals(RuleBasedStateMachine):
    people: dict[str, Person]
    runner: asyncio.Runner
    tasks = Bundle("tasks")

    def __init__(self) -> None:
        super().__init__()
        self.known: list[Known] = []

    def run_now(self, work: Any) -> Any:
        return self.runner.run(work)

    @initialize(target=tasks)
    def one_of_each(self) -> Any:
        return multiple(*(self.begun(owner, "ask") for owner in PRINCIPALS))

    @rule(target=tasks, owner=st.sampled_from(PRINCIPALS), tool=st.sampled_from(sorted(COMES_TO)))
    def begin(self, owner: str, tool: str) -> Known:
        return self.begun(owner, tool)

    def begun(self, owner: str, tool: str) -> Known:
        async def begin() -> str:
            client = self.people[owner].legacy
            task_id = str((await client.start(tool, text="x"))["taskId"])
            await client.until(task_id, COMES_TO[tool][0])
            return task_id

        known = Known(self.run_now(begin()), owner, tool, COMES_TO[tool])
        self.known.append(known)
        return known

    @rule(task=tasks, who=st.sampled_from(PRINCIPALS), surface=st.sampled_from(SURFACES))
    def get(self, task: Known, who: str, surface: str) -> None:
        found = self.run_now(self.people[who].asked(surface, "get", task.id))
        if who != task.owner:
            self.is_like_none(who, surface, "get", found)
            return
        shown = found["result"]
        stands = task.stands[SURFACES.index(surface)]
        assert (shown["outcome"] or "" if surface == "api" else shown["status"]) == stands
        if surface == "2026":
            assert ("inputRequests" in shown) is (stands == "input_required")

    @rule(task=tasks, who=st.sampled_from(PRINCIPALS), surface=st.sampled_from(SURFACES))
    def cancel(self, task: Known, who: str, surface: str) -> None:
        found = self.run_now(self.people[who].asked(surface, "cancel", task.id))
        if who != task.owner:
            self.is_like_none(who, surface, "cancel", found)
            return
        is_open = task.stands[2] == ""
        assert ("result" in found) is (is_open or surface == "2026"), found  # SEP-2663: acknowledged all the same
        if is_open:
            task.stands = CANCELLED

    @rule(task=tasks, who=st.sampled_from(PRINCIPALS), surface=st.sampled_from(SURFACES[1:]), text=st.text(max_size=9))
    def answer(self, task: Known, who: str, surface: str, text: str) -> None:
        """The first one counts, from wherever it comes."""
        is_open = task.stands[2] == "" and who == task.owner
        key = self.run_now(self.open_key(task)) if is_open else "q1"
        result = {"action": "accept", "content": {"name": text}}
        more = {"inputResponses": {key: result}} if surface == "2026" else {"key": key, "result": result}
        found = self.run_now(self.people[who].asked(surface, "update", task.id, **more))
        if who != task.owner:
            self.is_like_none(who, surface, "update", found, **more)
            return
        assert ("result" in found) is (is_open or surface == "2026"), found
        if is_open:
            self.run_now(self.people[who].legacy.until(task.id, "completed"))
            task.stands, task.answer = ANSWERED, text

    async def open_key(self, task: Known) -> str:
        shown = await self.people[task.owner].modern.ask("tasks/get", {"taskId": task.id})
        (key,) = shown["result"]["inputRequests"]
        return str(key)

    @rule(task=tasks, who=st.sampled_from(PRINCIPALS))
    def result(self, task: Known, who: str) -> None:
        if who != task.owner:
            self.is_like_none(who, "2025", "result", self.run_now(self.people[who].asked("2025", "result", task.id)))
            return
        if task.stands[2] == "":
            return  # it would wait
        message = self.run_now(self.people[who].asked("2025", "result", task.id))
        if task.stands is CANCELLED:
            assert message["error"]["data"] == {"reason": "cancelled"}
            return
        text = message["result"]["content"][0]["text"]
        if task.tool == "ask":
            assert json.loads(text)["content"] == {"name": task.answer}
        else:
            assert text == {"echo": "x", "fail": "it failed"}[task.tool]

    @rule(task=consumes(tasks), who=st.sampled_from(PRINCIPALS))
    def end(self, task: Known, who: str) -> None:
        """Nobody but its owner ends it, and then it is over for good; it is not looked at any more."""
        self.cancel(task, who, "2026")
        self.get(task, task.owner, "2025")

    @rule(who=st.sampled_from(PRINCIPALS))
    def lists(self, who: str) -> None:
        mine = {task.id: task for task in self.known if task.owner == who}
        others = {task.id for task in self.known if task.owner != who}
        page = self.run_now(self.people[who].legacy.ask("tasks/list"))["result"]["tasks"]
        answer = self.run_now(self.people[who].http.get(self.people[who].api, headers=self.people[who].headers))
        seen = {each["taskId"]: each["status"] for each in page}
        assert not others & (seen.keys() | {each["id"] for each in answer.json()["items"]})
        assert all(seen[each] == task.stands[0] for each, task in mine.items() if each in seen)
        assert len(seen) >= min(len(mine), 50)

    def is_like_none(self, who: str, surface: str, what: str, found: Any, **more: Any) -> None:
        assert "error" in found
        assert found == self.run_now(self.people[who].asked(surface, what, NEVER, **more))


@pytest.fixture
def people(hosted: Hosted) -> Iterator[None]:
    TwoPrincipals.people = {
        name: Person(hosted, name, token)
        for name, token in zip(PRINCIPALS, (hosted.token, hosted.stranger), strict=True)
    }
    with asyncio.Runner() as TwoPrincipals.runner:
        for person in TwoPrincipals.people.values():
            TwoPrincipals.runner.run(person.legacy.initialize())
        yield
        for person in TwoPrincipals.people.values():
            TwoPrincipals.runner.run(person.http.aclose())


@pytest.mark.usefixtures("people")
def test_any_order_of_requests_by_two_users() -> None:
    few = settings(
        max_examples=10,
        stateful_step_count=20,
        suppress_health_check=list(HealthCheck),
        deadline=None,
        phases=[Phase.generate],  # a site is behind it: nothing is run again to make it smaller
    )
    run_state_machine_as_test(TwoPrincipals, settings=few)
