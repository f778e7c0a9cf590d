"""The rules of URL elicitation that bind a server (2025-11-25 client/elicitation, 2026-07-28 basic/patterns/mrtr), one
test each, against the site's own question for credentials."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from django.test import Client

from accounts.models import User
from common import clock
from hosting.models import Deployment, Elicitation
from hosting.runner.control import Tell
from mcp_endpoint.sealed.request_state import Wanted, binding
from tests.mcp_endpoint.conftest import LEGACY, PATH, SITE, Web, ask, request, session, tool, until
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
    value,
)
from vault.models import Secret

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
FORM: dict[str, Any] = {"elicitation": {"form": {}}}


async def refused(client: httpx.AsyncClient, number: int = 1) -> dict[str, Any]:
    """The one elicitation that a call of a 2025-11-25 client is refused with."""
    error = (await client.post(PATH, json=environ("REGION", number))).json()["error"]
    assert error["code"] == -32042, error
    (asked,) = error["data"]["elicitations"]
    found: dict[str, Any] = asked
    return found


def retry(state: str, name: str = "REGION", action: str = "accept") -> dict[str, Any]:
    again = environ(name, 2)
    again["params"] |= {"requestState": state, "inputResponses": {"credentials": {"action": action}}}
    return again


async def test_u1_secrets_are_never_asked_for_by_a_form(web: Web, users: dict[str, User]) -> None:
    client, older = client_of(web, users["alice"]), client_of(web, users["alice"], "older")
    await session(older, **FORM)
    answers = [await ask(client, environ("REGION"), capabilities=FORM), await older.post(PATH, json=environ("REGION"))]
    for answer in answers:
        assert answer.json()["result"]["isError"]
        assert (
            "requestedSchema" not in answer.text and "API_KEY" not in answer.text and f"{SITE}/elicit/" in answer.text
        )


async def test_u2_the_address_says_nothing_and_lets_nobody_in(web: Web, users: dict[str, User]) -> None:
    client = client_of(web, users["alice"])
    await session(client, **URL)
    asked = await refused(client)
    path = path_of(asked["url"])
    for said in (str(users["alice"].pk), "alice", "cli", "API_KEY", client.headers["mcp-session-id"]):
        assert said not in asked["url"]
    nobody = await rows(lambda: Client().get(path))
    assert nobody.status_code == 302 and "/login/" in nobody["Location"] and "sessionid" not in nobody.cookies
    posted = await rows(lambda: Client().post(path, {"v0": ALICES, "v1": "eu"}))
    assert posted.status_code == 302 and "/login/" in posted["Location"]
    assert not await rows(Secret.objects.exists)


async def test_u4_a_page_is_bound_to_user_and_client_not_to_a_session_id(web: Web, users: dict[str, User]) -> None:
    alice, bob = users["alice"], users["bob"]
    mine, other, bobs = client_of(web, alice, "one"), client_of(web, alice, "two"), client_of(web, bob, "one")
    await session(mine, **URL)
    asked = await refused(mine)
    for thief in (other, bobs):
        thief.headers["mcp-session-id"] = mine.headers["mcp-session-id"]
        thief.headers["mcp-protocol-version"] = LEGACY
        assert (await thief.post(PATH, json=environ("REGION"))).status_code == 404
        del thief.headers["mcp-session-id"]
        await session(thief, **URL)
        assert (await refused(thief))["elicitationId"] != asked["elicitationId"]
    row = await rows(lambda: Elicitation.objects.get(pk=asked["elicitationId"]))
    assert (row.user_id, row.client_id) == (users["alice"].pk, "one") and row.expires_at > clock.now()


async def test_u5_the_key_never_passes_the_client_nor_its_token_the_server(web: Web, users: dict[str, User]) -> None:
    said: list[str] = []

    async def hear(response: httpx.Response) -> None:
        await response.aread()
        said.append(f"{response.headers} {response.text}")

    client, browser = client_of(web, users["alice"]), Browser(users["alice"])
    client.event_hooks = {"response": [hear]}
    await session(client, **URL)
    await browser.post(path_of((await refused(client))["url"]), v0=ALICES, v1="eu")
    assert await value(await client.post(PATH, json=environ("API_KEY", 3))) == "[secret]"
    await client.post(PATH, json=listing())
    assert len(said) >= 5 and ALICES not in "".join(said)
    token = client.headers["authorization"].removeprefix("Bearer ")
    assert not await rows(lambda: [one for one in Secret.objects.values_list("name", flat=True) if token in one])
    for name in ("AUTHORIZATION", "TOKEN", "HTTP_AUTHORIZATION"):
        assert token not in await value(await client.post(PATH, json=environ(name, 4)))


async def test_u6_a_finished_page_is_no_authorization_of_a_client(web: Web, users: dict[str, User]) -> None:
    client, browser = client_of(web, users["alice"]), Browser(users["alice"])
    await session(client, **URL)
    asked = await refused(client)
    assert (await browser.post(path_of(asked["url"]), v0=ALICES, v1="eu")).status_code == 302
    for token in (None, asked["elicitationId"]):
        assert (await web.client(token).post(PATH, json=tool("who"))).status_code == 401
    stranger = client_of(web, users["bob"])
    stranger.headers.update({k: client.headers[k] for k in ("mcp-session-id", "mcp-protocol-version")})
    assert (await stranger.post(PATH, json=environ("REGION"))).status_code == 404


async def test_u7_the_error_comes_for_that_reason_only_and_names_its_pages(web: Web, users: dict[str, User]) -> None:
    client, browser = client_of(web, users["alice"]), Browser(users["alice"])
    await session(client, **URL)
    for message in (request("ping", id=1), listing(2)):
        assert "result" in (await client.post(PATH, json=message)).json()
    asked = await refused(client, 3)
    assert set(asked) == {"mode", "elicitationId", "url", "message"} and asked["mode"] == "url"
    modern = await ask(client_of(web, users["alice"], "modern"), environ("REGION"), capabilities=URL)
    assert "-32042" not in modern.text and "elicitationId" not in modern.text
    old = client_of(web, users["alice"], "old")
    await session(old, "2025-06-18", **URL)
    assert "-32042" not in (await old.post(PATH, json=environ("REGION"))).text
    assert (await browser.post(path_of(asked["url"]), v0=ALICES, v1="eu")).status_code == 302
    unknown = (await client.post(PATH, json=tool("there-is-no-such-tool", 5))).json()
    assert unknown.get("error", {}).get("code") != -32042
    assert await value(await client.post(PATH, json=environ("REGION", 6))) == "eu"


class Listener:
    """A client's own stream: the messages that its session is told, in order."""

    def __init__(self, web: Web, client: httpx.AsyncClient, owner: str) -> None:
        self._client = client
        self._session = web.running.services.sessions.open(client.headers["mcp-session-id"], owner)
        self._owner = owner
        self._web = web
        self.told: list[dict[str, Any]] = []
        self._work = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async with self._client.stream("GET", PATH) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data: {"):
                    self.told.append(json.loads(line.removeprefix("data: ")))

    async def fence(self) -> list[dict[str, Any]]:
        """Everything it was told up to now."""
        link = await self._web.running.pool.link(self._session.runner)
        await link.ask(Tell(self._session.id, self._owner, "notifications/fence", b"{}"))
        await until(lambda: any(one["method"] == "notifications/fence" for one in self.told), 10)
        self._work.cancel()
        return [one for one in self.told if one["method"] != "notifications/fence"]


async def test_u8_exactly_the_sessions_that_asked_are_told(
    web: Web, users: dict[str, User], deployment: Deployment
) -> None:
    asking = {"one": ("alice", "cli"), "two": ("alice", "cli"), "three": ("alice", "other"), "bobs": ("bob", "cli")}
    silent = {"idle": ("alice", "cli"), "formless": ("alice", "words")}
    ids, listeners = {}, {}
    for name, (who, client_id) in {**asking, **silent}.items():
        client = client_of(web, users[who], client_id)
        await session(client, **({} if name == "formless" else URL))
        if name in asking:
            ids[name] = await refused(client)
        elif name == "formless":
            assert "/elicit/" in await value(await client.post(PATH, json=environ("REGION")))
        listeners[name] = Listener(web, client, f"{users[who].pk} {client_id} {deployment.pk}")
    assert len({one["elicitationId"] for one in ids.values()}) == len(asking)
    await until(lambda: len(web.running.streams) == len(listeners))
    done = await Browser(users["alice"]).post(path_of(ids["two"]["url"]), v0=ALICES, v1="eu")
    assert done.status_code == 302
    for name, listener in listeners.items():
        told = [(one["method"], one["params"]) for one in await listener.fence()]
        if asking.get(name, ("bob", ""))[0] == "alice":
            said = ("notifications/elicitation/complete", {"elicitationId": ids[name]["elicitationId"]})
            assert told == [said], name
        else:
            assert told == [], name


async def test_u9_the_outcome_is_learnt_by_a_retry_with_the_state(web: Web, users: dict[str, User]) -> None:
    client, browser = client_of(web, users["alice"]), Browser(users["alice"])
    asked = (await ask(client, environ("REGION"), capabilities=URL)).json()["result"]
    assert set(asked) == {"resultType", "inputRequests", "requestState"}
    params = asked["inputRequests"]["credentials"]["params"]
    assert set(params) == {"mode", "url", "message"}
    assert params["url"].rpartition("/")[2] not in asked["requestState"], "sealed"
    early = (await ask(client, retry(asked["requestState"]), capabilities=URL)).json()["result"]
    assert early["resultType"] == "input_required" and early["inputRequests"] == asked["inputRequests"]
    assert (await browser.post(path_of(params["url"]), v0=ALICES, v1="us")).status_code == 302
    assert await value(await ask(client, retry(early["requestState"]), capabilities=URL)) == "us"


async def test_u10_only_who_declared_pages_in_this_request_is_sent_to_one(web: Web, users: dict[str, User]) -> None:
    client = client_of(web, users["alice"])
    offered: list[dict[str, Any]] = [{}, {"elicitation": {}}, FORM, {"elicitation": {"url": None}}]
    assert (await ask(client, environ("REGION"), capabilities=URL)).json()["result"]["resultType"] == "input_required"
    for number, capabilities in enumerate(offered):
        result = (await ask(client, environ("REGION"), capabilities=capabilities)).json()["result"]
        assert result["resultType"] == "complete" and result["isError"], capabilities
        legacy = client_of(web, users["alice"], f"legacy-{number}")
        await session(legacy, **capabilities)
        answer = (await legacy.post(PATH, json=environ("REGION"))).json()
        assert answer["result"]["isError"] and f"{SITE}/elicit/" in answer["result"]["content"][0]["text"]
    both: dict[str, Any] = {"elicitation": {"form": {}, "url": {}}}
    assert (await ask(client, environ("REGION"), capabilities=both)).json()["result"]["resultType"] == "input_required"


async def test_threat_24_a_state_is_good_for_its_user_client_and_call_and_not_for_long(
    web: Web, users: dict[str, User], deployment: Deployment
) -> None:
    client, browser = client_of(web, users["alice"]), Browser(users["alice"])
    asked = (await ask(client, environ("REGION"), capabilities=URL)).json()["result"]
    state, page = asked["requestState"], asked["inputRequests"]["credentials"]["params"]["url"].rpartition("/")[2]

    # Another user's, or another client's: it is nobody's state. What it says is not done to Alice's page.
    for thief in (client_of(web, users["bob"]), client_of(web, users["alice"], "other")):
        result = (await ask(thief, retry(state, action="decline"), capabilities=URL)).json()["result"]
        assert result["resultType"] == "input_required" and page not in json.dumps(result)
    assert await rows(lambda: Elicitation.objects.get(pk=page).state) == "open"

    call = environ("REGION")
    bound = binding(f"{users['alice'].pk} cli {deployment.pk}", "tools/call", json.dumps(call["params"]).encode())
    states = web.running.services.states
    late = states.seal(Wanted(clock.now().timestamp() - 1, page), bound)
    middle = len(state) // 2
    flipped = state[:middle] + ("A" if state[middle] != "A" else "B") + state[middle + 1 :]
    for bad in (late, flipped, state[:-2], "A" * 60):
        result = (await ask(client, retry(bad, action="decline"), capabilities=URL)).json()["result"]
        assert result["resultType"] == "input_required", "taken for none"
    other = await ask(client, retry(state, name="HOME", action="decline"), capabilities=URL)
    assert other.json()["result"]["resultType"] == "input_required"
    assert await rows(lambda: Elicitation.objects.get(pk=page).state) == "open"

    assert (await browser.post(f"/elicit/{page}", v0=BOBS, v1="us")).status_code == 302
    for bad in (late, flipped, "A" * 60):
        answer = await ask(client, retry(bad), capabilities=URL)
        assert answer.status_code == 400 and answer.json()["error"]["code"] == -32602
    assert (await ask(client, retry(state, name="HOME"), capabilities=URL)).status_code == 400
    assert await value(await ask(client, retry(state), capabilities=URL)) == "us"
