"""Calls that wait for their user at the page, and go on by themselves: as tasks of each kind of client, and held."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from accounts.models import User
from hosting.models import DeploymentMember, Elicitation, Task
from hosting.tasks.running import task_advance
from hosting.tasks.starting import task_start
from mcp_endpoint.personal.orm import OrmPersons
from tests.mcp_endpoint.conftest import PATH, SITE, Web, ask, events, request, session, until
from tests.mcp_endpoint.personal.conftest import (
    ALICES,
    URL,
    Browser,
    client_of,
    environ,
    path_of,
    rows,
    settled,
    value,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def as_task(name: str, number: int = 1) -> dict[str, Any]:
    call = environ(name, number)
    call["params"]["task"] = {"ttl": 60_000}
    return call


async def work(*task_ids: str) -> None:
    """What workers do, until these tasks are over."""
    for task_id in task_ids:
        assert await rows(lambda: Task.objects.get(pk=task_id).state) == "accepted"  # noqa: B023
        await rows(lambda: task_start(task_id))  # noqa: B023

    async def are_over() -> bool:
        for task_id in task_ids:
            await rows(lambda: task_advance(task_id))  # noqa: B023
        return not await rows(lambda: Task.objects.filter(pk__in=task_ids).exclude(state="ended").exists())

    await settled(are_over)


TASKS = {**URL, "extensions": {"io.modelcontextprotocol/tasks": {}}}


async def test_a_2025_task_waits_for_the_page_and_goes_on(web: Web, users: dict[str, User]) -> None:
    client, browser = client_of(web, users["alice"]), Browser(users["alice"])
    greeted = await session(client, **URL)
    assert greeted["capabilities"]["tasks"]["requests"] == {"tools": {"call": {}}}
    created = (await client.post(PATH, json=as_task("REGION"))).json()["result"]["task"]
    task_id = created["taskId"]
    assert created["status"] == "input_required"
    async with client.stream("POST", PATH, json=request("tasks/result", {"taskId": task_id}, 2)) as stream:
        told = events(stream)
        asked = await anext(event.json() async for event in told if '"elicitation/create"' in event.data)
        params = asked["params"]
        assert params["mode"] == "url" and params["url"].endswith(params["elicitationId"])
        assert params["_meta"]["io.modelcontextprotocol/related-task"] == {"taskId": task_id}
        reply = {"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept"}}
        assert (await client.post(PATH, json=reply)).status_code == 202
        seen = (await client.post(PATH, json=request("tasks/get", {"taskId": task_id}, 3))).json()["result"]
        assert seen["status"] == "working" and params["url"] in seen["statusMessage"], "asked once"

        assert (await browser.post(path_of(params["url"]), v0=ALICES, v1="eu")).status_code == 302
        await work(task_id)
        async with asyncio.timeout(10):
            result = await anext(event.json() async for event in told if '"content"' in event.data)
    assert result["result"]["content"][0]["text"] == "eu"
    assert await rows(lambda: Elicitation.objects.get().state) == "done"
    assert await rows(lambda: Task.objects.get().attempts) == 1
    assert await value(await client.post(PATH, json=environ("REGION", 4))) == "eu"


async def test_a_2026_task_waits_over_a_restart_of_the_site(web: Web, users: dict[str, User]) -> None:
    client, browser = client_of(web, users["alice"]), Browser(users["alice"])
    created = (await ask(client, environ("REGION"), capabilities=TASKS)).json()["result"]
    assert created["resultType"] == "task" and created["status"] == "input_required"
    named = {"taskId": created["taskId"]}
    await web.stop()
    web = await web.site.web(persons=OrmPersons(), hold_seconds=0.2)
    client = client_of(web, users["alice"])

    async def got() -> dict[str, Any]:
        answer = await ask(client, request("tasks/get", named), capabilities=TASKS)
        result: dict[str, Any] = answer.json()["result"]
        return result

    ((key, question),) = (await got())["inputRequests"].items()
    assert question["params"]["mode"] == "url" and "elicitationId" not in question["params"]
    path = path_of(question["params"]["url"])
    update = {**named, "inputResponses": {key: {"action": "accept"}}}
    assert (await ask(client, request("tasks/update", update), capabilities=TASKS)).status_code == 200
    assert (await got())["status"] == "working"
    foreign = await ask(client_of(web, users["bob"]), request("tasks/update", update), capabilities=TASKS)
    assert "not found" in foreign.json()["error"]["message"]
    page = await browser.get(f"/tasks/{created['taskId']}/")
    assert "Waits for your credentials" in page.content.decode() and path in page.content.decode()

    assert (await browser.post(path, v0=ALICES, v1="us")).status_code == 302
    await work(created["taskId"])
    over = await got()
    assert over["status"] == "completed" and over["result"]["content"][0]["text"] == "us"


async def test_a_client_that_opens_no_pages_is_told_which_task_keeps_its_call(web: Web, users: dict[str, User]) -> None:
    client, browser = client_of(web, users["alice"]), Browser(users["alice"])
    await session(client)
    first = (await client.post(PATH, json=environ("REGION"))).json()["result"]
    text = first["content"][0]["text"]
    task_id = first["_meta"]["io.modelcontextprotocol/related-task"]["taskId"]
    assert first["isError"] and task_id in text and "do not call it again" in text
    again = (await client.post(PATH, json=environ("REGION", 2))).json()["result"]
    assert again == first, "one call, one task"
    other = (await client.post(PATH, json=environ("HOME", 3))).json()["result"]
    assert other["_meta"] != first["_meta"]

    def call(which: str, number: int) -> dict[str, Any]:
        return request("tools/call", {"name": which, "arguments": {"task_id": task_id, "wait_seconds": 5}}, number)

    status = await value(await client.post(PATH, json=call("task_status", 4)))
    assert "has not begun" in status and f"{SITE}/elicit/" in status
    path = path_of(text[text.index(SITE) :].split()[0])
    assert (await browser.post(path, v0=ALICES, v1="eu")).status_code == 302
    await work(task_id, other["_meta"]["io.modelcontextprotocol/related-task"]["taskId"])
    assert await value(await client.post(PATH, json=call("task_result", 5))) == "eu"


async def test_declining_ends_what_waits_for_that_page_in_words(web: Web, users: dict[str, User]) -> None:
    browser, clients, paths, ids = Browser(users["alice"]), {}, {}, {}
    for name in ("one", "two", "three"):
        clients[name] = client_of(web, users["alice"], name)
        await session(clients[name], **URL)
        ids[name] = (await clients[name].post(PATH, json=as_task("REGION"))).json()["result"]["task"]["taskId"]
        task = await rows(lambda name=name: Task.objects.get(pk=ids[name]))  # type: ignore[misc]
        paths[name] = f"/elicit/{task.elicitation_id}"

    async def result_of(name: str) -> dict[str, Any]:
        named = {"taskId": ids[name]}
        seen = (await clients[name].post(PATH, json=request("tasks/get", named, 8))).json()["result"]
        assert seen["status"] == "failed"
        answer = await clients[name].post(PATH, json=request("tasks/result", named, 9))
        found: dict[str, Any] = answer.json()["result"]
        return found

    assert (await browser.post(paths["one"], action="decline")).status_code == 302
    declined = await result_of("one")
    assert declined["isError"] and "declined" in declined["content"][0]["text"]
    assert "The call was not made" in (await browser.get(f"/tasks/{ids['one']}/")).content.decode()
    for name, action, said in (("two", "decline", "declined"), ("three", "cancel", "neither gave nor refused")):
        waiting = await rows(lambda name=name: Task.objects.get(pk=ids[name]))  # type: ignore[misc]
        assert waiting.state == "lacking"
        (key,) = waiting.questions
        reply = {"jsonrpc": "2.0", "id": f"task:{ids[name]}:{key}", "result": {"action": action}}
        assert (await clients[name].post(PATH, json=reply)).status_code == 202
        assert said in (await result_of(name))["content"][0]["text"]
    assert await rows(lambda: list(Elicitation.objects.values_list("state", flat=True).order_by("state"))) == [
        "declined", "declined", "open",
    ]  # fmt: skip


async def test_a_retry_is_held_and_goes_on_when_the_page_is_done(web: Web, users: dict[str, User]) -> None:
    patient = await web.site.web(persons=OrmPersons(), hold_seconds=20)
    client, browser = client_of(patient, users["alice"]), Browser(users["alice"])
    asked = (await ask(client, environ("REGION"), capabilities=URL)).json()["result"]
    path = path_of(asked["inputRequests"]["credentials"]["params"]["url"])
    retry = environ("REGION", 2)
    retry["params"] |= {
        "requestState": asked["requestState"], "inputResponses": {"credentials": {"action": "accept"}}
    }  # fmt: skip
    held = asyncio.create_task(ask(client, retry, capabilities=URL))
    await until(lambda: len(patient.running.streams) == 1)
    assert (await browser.post(path, v0=ALICES, v1="eu")).status_code == 302
    async with asyncio.timeout(10):
        assert await value(await held) == "eu"
    assert not len(patient.running.streams)


async def test_a_held_retry_hears_that_its_user_declined(web: Web, users: dict[str, User]) -> None:
    patient = await web.site.web(persons=OrmPersons(), hold_seconds=20)
    client, browser = client_of(patient, users["alice"]), Browser(users["alice"])
    await session(client, **URL)
    refused = (await client.post(PATH, json=environ("REGION"))).json()["error"]
    held = asyncio.create_task(client.post(PATH, json=environ("REGION", 2)))
    await until(lambda: len(patient.running.streams) == 1)
    path = path_of(refused["data"]["elicitations"][0]["url"])
    assert (await browser.post(path, action="decline")).status_code == 302
    async with asyncio.timeout(10):
        assert "declined" in await value(await held)


async def test_a_held_call_ends_with_its_client_its_access_and_the_process(web: Web, users: dict[str, User]) -> None:
    patient = await web.site.web(persons=OrmPersons(), hold_seconds=20)
    clients = [client_of(patient, users["bob"], name) for name in ("leaves", "loses", "stays")]
    for client in clients:
        await session(client, **URL)
        assert (await client.post(PATH, json=environ("REGION"))).json()["error"]["code"] == -32042
    leaves, loses, stays = (asyncio.create_task(client.post(PATH, json=environ("REGION", 2))) for client in clients)
    await until(lambda: len(patient.running.streams) == 3)
    leaves.cancel()
    await until(lambda: len(patient.running.streams) == 2)
    await rows(lambda: DeploymentMember.objects.all().delete())
    async with asyncio.timeout(10):
        assert (await loses).status_code == (await stays).status_code == 401
    assert not len(patient.running.streams)


async def test_a_stopping_process_lets_its_held_calls_go(web: Web, users: dict[str, User]) -> None:
    patient = await web.site.web(persons=OrmPersons(), hold_seconds=20)
    client = client_of(patient, users["alice"])
    await session(client, **URL)
    assert (await client.post(PATH, json=environ("REGION"))).json()["error"]["code"] == -32042
    held = asyncio.create_task(client.post(PATH, json=environ("REGION", 2)))
    await until(lambda: len(patient.running.streams) == 1)
    patient.running.streams.drain(5.0)
    async with asyncio.timeout(5):
        assert (await held).json()["error"]["code"] == -32042
