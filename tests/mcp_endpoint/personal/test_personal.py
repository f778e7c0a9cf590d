"""A server to which each user brings a key: clients of both eras are sent to a page, and the same call works then.

Rows of the database, the endpoint over HTTP, the page by Django's client, a real runner and a real child.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from accounts.models import User
from hosting.credentials.eliciting import credentials_put
from hosting.models import Deployment, Elicitation, Task
from hosting.runner.control import GetStatus
from hosting.tasks.running import task_advance
from hosting.tasks.starting import task_start
from tests.factories import actor_of
from tests.mcp_endpoint.conftest import LEGACY, PATH, SITE, Web, ask, initialize, request, session, tool
from tests.mcp_endpoint.personal.conftest import (
    ALICES,
    BOBS,
    URL,
    Browser,
    client_of,
    environ,
    listing,
    path_of,
    rows,
    settled,
    value,
)
from vault.models import Secret

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


async def test_a_2025_client_is_sent_to_the_page_and_told_when_it_is_done(
    web: Web, users: dict[str, User], deployment: Deployment
) -> None:
    client = client_of(web, users["alice"])
    greeted = await session(client, **URL)
    assert greeted["protocolVersion"] == LEGACY and greeted["serverInfo"]["name"] == "test"
    assert [one["name"] for one in (await client.post(PATH, json=listing())).json()["result"]["tools"]] == [
        "slipway_connect"
    ]
    refused = (await client.post(PATH, json=environ("REGION"))).json()["error"]
    assert refused["code"] == -32042
    (asked,) = refused["data"]["elicitations"]
    assert asked["mode"] == "url" and asked["elicitationId"] in asked["url"] and "API_KEY" not in asked["url"]
    again = (await client.post(PATH, json=environ("REGION", 2))).json()["error"]
    assert again["data"] == refused["data"], "asking again asks the same"
    path = path_of(asked["url"])

    browser = Browser(users["alice"])
    page = await browser.get(path)
    text = page.content.decode()
    assert page.status_code == 200 and "alice/test" in text and "cli" in text
    assert "&lt;b&gt;example.org&lt;/b&gt;" in text and 'href="https://phish.example' not in text
    assert page["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in page["Content-Security-Policy"]

    partial = await browser.post(path, v0="wrong-key-9999")
    assert partial.status_code == 400 and "wrong-key" not in partial.content.decode()
    assert await rows(lambda: list(Secret.objects.values_list("name", flat=True))) == ["env:API_KEY"], "it is kept"
    failed = await browser.post(path, v1="eu")
    text = failed.content.decode()
    assert failed.status_code == 422 and "API_KEY is refused: [secret]" in text and "wrong-key" not in text

    async with client.stream("GET", PATH) as stream:
        lines = stream.aiter_lines()
        done = await browser.post(path, v0=ALICES)
        assert done.status_code == 302, done.content.decode()
        async with asyncio.timeout(10):
            while True:
                line = await anext(lines)
                if line.startswith("data: {"):
                    break
    told = json.loads(line.removeprefix("data: "))
    assert told["method"] == "notifications/elicitation/complete"
    assert told["params"] == {"elicitationId": asked["elicitationId"]}

    assert await value(await client.post(PATH, json=environ("REGION", 3))) == "eu"
    assert await value(await client.post(PATH, json=environ("API_KEY", 4))) == "[secret]"
    names = [one["name"] for one in (await client.post(PATH, json=listing(5))).json()["result"]["tools"]]
    assert "environ" in names and "slipway_connect" not in names
    assert (await browser.post(path, v0=ALICES)).status_code == 410, "used twice"


async def test_a_2026_client_retries_with_its_state(web: Web, users: dict[str, User]) -> None:
    client = client_of(web, users["alice"])
    found = (await ask(client, {"jsonrpc": "2.0", "id": 1, "method": "server/discover"}, capabilities=URL)).json()
    assert found["result"]["supportedVersions"] == ["2026-07-28"]
    call = environ("REGION")
    result = (await ask(client, call, capabilities=URL)).json()["result"]
    assert result["resultType"] == "input_required"
    question = result["inputRequests"]["credentials"]
    assert question["method"] == "elicitation/create" and question["params"]["mode"] == "url"
    assert "elicitationId" not in question["params"]
    path = path_of(question["params"]["url"])
    state = result["requestState"]

    def retry(action: str, state: str = state, name: str = "REGION") -> dict[str, Any]:
        again = environ(name, 2)
        again["params"] |= {"requestState": state, "inputResponses": {"credentials": {"action": action}}}
        return again

    early = (await ask(client, retry("accept"), capabilities=URL)).json()["result"]
    assert early["resultType"] == "input_required", "saying so brings nothing"
    assert early["inputRequests"] == result["inputRequests"]

    browser = Browser(users["alice"])
    assert (await browser.post(path, v0=ALICES, v1="us")).status_code == 302
    assert await value(await ask(client, retry("accept"), capabilities=URL)) == "us"
    swapped = await ask(client_of(web, users["bob"]), retry("accept"), capabilities=URL)
    assert swapped.json()["result"]["resultType"] == "input_required", "Bob has brought nothing"
    other = await ask(client, retry("accept", name="HOME"), capabilities=URL)
    assert other.status_code == 400, "a state is good for its own call only"
    assert (await ask(client, retry("accept", state="x" * 40), capabilities=URL)).status_code == 400


async def test_declining_reaches_the_caller(web: Web, users: dict[str, User]) -> None:
    client, browser = client_of(web, users["alice"]), Browser(users["alice"])
    call = environ("REGION")
    result = (await ask(client, call, capabilities=URL)).json()["result"]
    path = path_of(result["inputRequests"]["credentials"]["params"]["url"])
    call["params"] |= {
        "requestState": result["requestState"], "inputResponses": {"credentials": {"action": "decline"}}
    }  # fmt: skip
    declined = (await ask(client, call, capabilities=URL)).json()["result"]
    assert declined["isError"] and "declined" in declined["content"][0]["text"]
    assert (await browser.post(path, v0=ALICES)).status_code == 410
    fresh = (await ask(client, environ("REGION"), capabilities=URL)).json()["result"]
    page = path_of(fresh["inputRequests"]["credentials"]["params"]["url"])
    assert page != path
    assert (await browser.post(page, action="decline")).status_code == 302
    assert "You declined" in (await browser.get(page)).content.decode()
    assert not await rows(Secret.objects.exists)


async def test_clients_that_open_no_pages_get_words_and_a_link(web: Web, users: dict[str, User]) -> None:
    client = client_of(web, users["alice"])
    capabilities: dict[str, Any]
    for capabilities in ({}, {"elicitation": {}}, {"elicitation": {"form": {}}}):
        result = (await ask(client, tool("echo", text="x"), capabilities=capabilities)).json()["result"]
        assert result["isError"] and f"{SITE}/elicit/" in result["content"][0]["text"]
    for revision, offered in (("2025-06-18", URL), (LEGACY, {"elicitation": {}})):
        older = client_of(web, users["alice"], f"c{revision}")
        await session(older, revision, **offered)
        result = (await older.post(PATH, json=tool("echo", text="x"))).json()["result"]
        assert result["isError"] and f"{SITE}/elicit/" in result["content"][0]["text"]


async def test_two_users_and_their_swapped_links(web: Web, users: dict[str, User], deployment: Deployment) -> None:
    paths, clients, browsers = {}, {}, {}
    for name, user in users.items():
        clients[name], browsers[name] = client_of(web, user), Browser(user)
        await session(clients[name], **URL)
        error = (await clients[name].post(PATH, json=environ("REGION"))).json()["error"]
        paths[name] = path_of(error["data"]["elicitations"][0]["url"])
    unknown = await browsers["bob"].get("/elicit/" + "A" * 22)
    for path in (paths["alice"], paths["alice"][:-1] + "x"):
        swapped = await browsers["bob"].get(path)
        assert (swapped.status_code, unknown.status_code) == (404, 404)
        assert (await browsers["bob"].post(path, v0=BOBS, v1="eu")).status_code == 404
    assert not await rows(Secret.objects.exists)
    assert await rows(lambda: Elicitation.objects.filter(state="open").count()) == 2
    assert (await browsers["bob"].post(paths["bob"], v0=BOBS, v1="us")).status_code == 302
    stolen = await clients["alice"].post(PATH, json=environ("REGION", 2))
    assert stolen.json()["error"]["code"] == -32042, "what Bob brought serves Bob"
    assert (await browsers["alice"].post(paths["alice"], v0=ALICES, v1="eu")).status_code == 302
    for name, region in (("alice", "eu"), ("bob", "us"), ("alice", "eu")):
        assert await value(await clients[name].post(PATH, json=environ("REGION", 3))) == region
    who = [await value(await clients[name].post(PATH, json=tool("who", id=4))) for name in users]
    assert who[0] != who[1]

    gone = await browsers["alice"].post(f"/credentials/{deployment.pk}/revoke")
    assert gone.status_code == 302

    assert (await clients["alice"].post(PATH, json=tool("who", id=5))).json()["error"]["code"] == -32042
    link = await web.running.pool.link(web.site.address)

    async def is_over() -> bool:
        (seen,) = (await link.ask(GetStatus())).placements
        return len(seen.instances) == 2  # Bob's: his client's, and the one that the page tried

    await settled(is_over)
    assert await value(await clients["bob"].post(PATH, json=tool("who", id=5))) == who[1]
    await session(clients["alice"], **URL)
    assert (await clients["alice"].post(PATH, json=tool("who", id=6))).json()["error"]["code"] == -32042


async def test_callers_without_an_account_are_given_nothing(
    web: Web, users: dict[str, User], deployment: Deployment
) -> None:
    given = {"env:API_KEY": ALICES, "env:REGION": "eu"}
    await rows(lambda: credentials_put(actor=actor_of(users["alice"]), deployment=deployment, values=given))
    await rows(lambda: Deployment.objects.update(is_anonymous=True))
    visitor = web.client(None)

    async def is_open() -> bool:
        return (await ask(visitor, listing(), capabilities=URL)).status_code == 200

    await settled(is_open)
    result = (await ask(visitor, environ("REGION"), capabilities=URL)).json()["result"]
    assert result["isError"] and "sign in" in result["content"][0]["text"] and "/elicit/" not in str(result)
    begun = (await visitor.post(PATH, json=initialize(**URL))).json()
    assert "sign in" in begun["error"]["message"]
    assert not await rows(Elicitation.objects.exists)
    link = await web.running.pool.link(web.site.address)
    assert not [one for seen in (await link.ask(GetStatus())).placements for one in seen.instances]


async def test_a_task_runs_with_what_its_user_brought(web: Web, users: dict[str, User], deployment: Deployment) -> None:
    given = {"env:API_KEY": BOBS, "env:REGION": "us"}
    await rows(lambda: credentials_put(actor=actor_of(users["bob"]), deployment=deployment, values=given))
    client = client_of(web, users["bob"])
    await session(client, **URL)
    call = environ("REGION")
    call["params"]["task"] = {"ttl": 60_000}
    task_id = (await client.post(PATH, json=call)).json()["result"]["task"]["taskId"]
    await rows(lambda: task_start(task_id))

    async def is_over() -> bool:
        await rows(lambda: task_advance(task_id))
        return await rows(lambda: Task.objects.get(pk=task_id).is_ended)

    await settled(is_over)
    result = await client.post(PATH, json=request("tasks/result", {"taskId": task_id}, 2))
    assert await value(result) == "us"
