"""The rules that keep every combination of eras exact, each over real HTTP: who shares an instance, who is asked, what
is kept, and what becomes of what belongs to no call. The architecture page states them ("Two eras, every combination").
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest

from hosting.runner.control import GetStatus
from tests.mcp_endpoint.conftest import (
    ALICE,
    BOB,
    META,
    PATH,
    SentEvent,
    Site,
    Web,
    ask,
    events,
    modern,
    placement,
    request,
    session,
    tool,
    until,
)

ELICITATION: dict[str, Any] = {"elicitation": {}}
FORM = {"mode": "form", "message": "Who?", "requestedSchema": {"type": "object", "properties": {}}}
VISIT = {"mode": "url", "message": "Go there", "url": "https://example.org/go"}
TOOLS_CHANGED = "notifications/tools/list_changed"


def text_of(response: httpx.Response) -> str:
    """Of a result that came at once, or as the last event of a stream since it took a while."""
    assert response.status_code == 200, response.text
    is_stream = response.headers["content-type"].startswith("text/event-stream")
    body = response.text.rstrip().rpartition("data: ")[2] if is_stream else response.text
    return str(json.loads(body)["result"]["content"][0]["text"])


def error_of(response: httpx.Response) -> tuple[int, int, Any]:
    error = response.json()["error"]
    return response.status_code, error["code"], error.get("data")


async def who(client: httpx.AsyncClient, **capabilities: Any) -> str:
    """The instance that answers: a legacy session's, or that of a modern call."""
    if "mcp-session-id" in client.headers:
        return text_of(await client.post(PATH, json=tool("who")))
    return text_of(await ask(client, tool("who"), capabilities=capabilities))


async def in_session(web: Web, token: str = "", **capabilities: Any) -> httpx.AsyncClient:
    client = web.client(token)
    await session(client, **capabilities)
    return client


def retry(message: dict[str, Any], first: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    params = {**message["params"], "inputResponses": dict.fromkeys(first["inputRequests"], answer)}
    if "requestState" in first:
        params["requestState"] = first["requestState"]
    return {**message, "params": params}


async def restart(site: Site) -> None:
    site.runner.kill()
    await site.runner.wait()
    await site.start_runner()


# --- isolation keys


@pytest.fixture(params=["legacy", "modern"])
def server(request: pytest.FixtureRequest, site: Site) -> str:
    site.world.placement = placement(request.param)
    return str(request.param)


@pytest.fixture
def bob(site: Site) -> str:
    assert site.world.route is not None
    site.world.route = replace(site.world.route, member_ids=frozenset({ALICE, BOB}))
    return site.token(BOB)


async def test_modern_calls_of_one_user_and_client_share_an_instance(site: Site, server: str) -> None:
    first, second = await site.web(), await site.web()
    assert await who(first.client()) == await who(second.client())


async def test_two_clients_of_one_user_have_their_own(site: Site, web: Web, server: str) -> None:
    assert await who(web.client()) != await who(web.client(site.token(client_id="another")))


async def test_two_users_have_their_own(web: Web, server: str, bob: str) -> None:
    assert await who(web.client()) != await who(web.client(bob))


async def test_two_legacy_sessions_of_one_client_have_their_own(web: Web, server: str) -> None:
    first, second = await in_session(web), await in_session(web)
    assert await who(first) != await who(second)
    assert await who(first) == await who(first)


async def test_a_session_and_modern_calls_of_one_client_have_their_own(web: Web, server: str) -> None:
    assert await who(await in_session(web)) != await who(web.client())


async def test_sessions_narrowed_to_their_principal_share_where_they_declare_the_same(
    site: Site, web: Web, bob: str
) -> None:
    site.world.placement = placement("legacy", isolation="principal")
    first, second, other = await in_session(web), await in_session(web), await in_session(web, sampling={})
    assert await who(first) == await who(second) != await who(other)
    assert await who(await in_session(web, bob)) not in (await who(first), await who(other))


async def test_everybody_shares_where_the_deployment_says_so(site: Site, web: Web, bob: str) -> None:
    site.world.placement = placement("legacy", isolation="shared")
    seen = {await who(web.client()), await who(web.client(bob), elicitation={})}
    seen |= {await who(await in_session(web)), await who(await in_session(web, bob, sampling={}))}
    assert len(seen) == 1


# --- capabilities


async def test_a_modern_server_is_told_each_requests_own_capabilities(site: Site, web: Web) -> None:
    site.world.placement = placement("modern")
    client = web.client()
    for declared in ({"sampling": {}}, {}, ELICITATION):
        told = json.loads(text_of(await ask(client, tool("meta"), capabilities=declared)))
        assert told[META + "clientCapabilities"] == declared


async def test_a_modern_server_behind_a_session_is_told_the_sessions_capabilities(site: Site, web: Web) -> None:
    site.world.placement = placement("modern")
    client = await in_session(web, sampling={"tools": {}})
    told = json.loads(text_of(await client.post(PATH, json=tool("meta"))))
    assert told[META + "clientCapabilities"] == {"sampling": {"tools": {}}}


async def test_a_legacy_server_is_told_the_sessions_capabilities(web: Web) -> None:
    client = await in_session(web, roots={"listChanged": True})
    told = json.loads(text_of(await client.post(PATH, json=tool("told"))))
    assert told["capabilities"] == {"roots": {"listChanged": True}}


async def test_a_shared_legacy_server_is_told_of_none(site: Site, web: Web) -> None:
    site.world.placement = placement("legacy", isolation="shared")
    client = await in_session(web, roots={})
    assert json.loads(text_of(await client.post(PATH, json=tool("told"))))["capabilities"] == {}
    assert json.loads(text_of(await ask(web.client(), tool("told"), capabilities=ELICITATION)))["capabilities"] == {}


@pytest.mark.parametrize(
    ("question", "declared", "missing"),
    [
        ({"method": "elicitation/create", "params": FORM}, {}, {"elicitation": {"form": {}}}),
        ({"method": "elicitation/create", "params": FORM}, {"sampling": {}}, {"elicitation": {"form": {}}}),
        ({"method": "sampling/createMessage", "params": {}}, ELICITATION, {"sampling": {}}),
        ({"method": "roots/list"}, ELICITATION, {"roots": {}}),
    ],
)
async def test_a_modern_client_is_not_asked_for_what_it_did_not_declare(
    site: Site, web: Web, question: dict[str, Any], declared: dict[str, Any], missing: dict[str, Any]
) -> None:
    site.world.placement = placement("modern")
    refused = await ask(web.client(), tool("want", **question), capabilities=declared)
    status, code, data = error_of(refused)
    assert (status, code) == (400, -32021)
    required = data["requiredCapabilities"]
    assert required == missing or required == {name: {} for name in missing}
    asked = await ask(web.client(), tool("want", **question), capabilities=missing)
    assert asked.json()["result"]["inputRequests"]["it"]["method"] == question["method"]


async def test_a_modern_client_is_told_in_words_of_a_page_that_it_did_not_declare(site: Site, web: Web) -> None:
    site.world.placement = placement("modern")
    question = {"method": "elicitation/create", "params": VISIT}
    told = await ask(web.client(), tool("want", **question), capabilities=ELICITATION)
    result = told.json()["result"]
    assert result["isError"] and result["resultType"] == "complete" and VISIT["url"] in text_of(told)
    asked = await ask(web.client(), tool("want", **question), capabilities={"elicitation": {"url": {}}})
    assert asked.json()["result"]["inputRequests"] == {"it": question}


async def test_lists_ask_for_nothing(site: Site, web: Web) -> None:
    site.world.placement = placement("modern")
    refused = await ask(web.client(), request("tools/list", {"cursor": "ask"}), capabilities={"roots": {}})
    assert "asked for input during tools/list" in refused.json()["error"]["message"]
    assert refused.json()["error"]["code"] == -32603


async def test_a_log_level_that_does_not_exist_is_refused(web: Web) -> None:
    refused = await ask(web.client(), tool("echo"), **{META + "logLevel": "loud"})
    assert error_of(refused)[:2] == (400, -32602)


# --- parked questions


async def test_a_parked_question_delays_no_other_call(site: Site, web: Web) -> None:
    client = web.client()
    first = (await ask(client, tool("ask"), capabilities=ELICITATION)).json()["result"]
    began = time.monotonic()
    other = await who(client, elicitation={})
    assert other == await who(client, elicitation={})
    assert time.monotonic() - began < 10
    done = await ask(client, retry(tool("ask", id=2), first, {"action": "decline"}), capabilities=ELICITATION)
    assert "decline" in text_of(done)


async def test_at_the_limit_of_instances_another_call_is_told_to_come_again(site: Site, web: Web) -> None:
    site.world.placement = placement("legacy", max_instances=1)
    client = web.client()
    first = (await ask(client, tool("ask"), capabilities=ELICITATION)).json()["result"]
    busy = await ask(client, tool("echo", id=7), capabilities=ELICITATION)
    assert error_of(busy)[:2] == (503, -32603)
    assert int(busy.headers["retry-after"]) > 0
    done = await ask(client, retry(tool("ask", id=2), first, {"action": "decline"}), capabilities=ELICITATION)
    assert "decline" in text_of(done)
    assert (await ask(client, tool("echo", id=8), capabilities=ELICITATION)).status_code == 200


async def test_a_parked_call_whose_runner_is_gone_is_not_run_again_behind_the_clients_back(
    site: Site, web: Web
) -> None:
    client = web.client()
    first = (await ask(client, tool("ask"), capabilities=ELICITATION)).json()["result"]
    await restart(site)
    gone = await ask(client, retry(tool("ask", id=2), first, {"action": "decline"}), capabilities=ELICITATION)
    assert error_of(gone)[:2] == (400, -32602)
    assert "call anew without it" in gone.json()["error"]["message"]
    anew = await ask(client, tool("ask", id=3), capabilities=ELICITATION)
    assert anew.json()["result"]["resultType"] == "input_required"


# --- modern to modern: nothing is kept


async def test_a_retry_needs_neither_the_same_web_process_nor_the_same_runner(site: Site, web: Web) -> None:
    site.world.placement = placement("modern")
    asked = (await ask(web.client(), tool("ask"), capabilities=ELICITATION)).json()["result"]
    before = await who(web.client())
    await web.die()
    await restart(site)
    other = (await site.web()).client()
    answered = await ask(other, retry(tool("ask", id=2), asked, {"action": "accept"}), capabilities=ELICITATION)
    assert json.loads(text_of(answered)) == {"action": "accept"}
    assert await who(other) != before


async def test_an_open_question_of_a_modern_server_keeps_nothing_at_the_runner(site: Site, web: Web) -> None:
    site.world.placement = placement("modern", max_instances=1)
    client = web.client()
    for number in range(5):
        asked = await ask(client, tool("ask", id=number), capabilities=ELICITATION)
        assert asked.json()["result"]["resultType"] == "input_required"
    assert await who(client)


# --- requests outside of a call


async def test_a_question_outside_of_a_call_goes_to_the_sessions_stream(web: Web) -> None:
    client = await in_session(web, roots={})
    async with client.stream("GET", PATH) as response:
        stream = events(response)
        await anext(stream)  # primed
        assert text_of(await client.post(PATH, json=tool("later"))) == "will ask"
        question = (await anext(stream)).json()
        assert question["method"] == "roots/list"
        answer = {"jsonrpc": "2.0", "id": question["id"], "result": {"roots": []}}
        assert (await client.post(PATH, json=answer)).status_code == 202
    await _asked(client, [{"roots": []}])


async def _asked(client: httpx.AsyncClient, expected: list[Any]) -> None:
    async def is_so() -> bool:
        return bool(json.loads(text_of(await client.post(PATH, json=tool("asked")))) == expected)

    await until(is_so)


async def test_a_question_that_waited_for_the_sessions_stream_is_found_there(web: Web) -> None:
    client = await in_session(web, roots={})
    await client.post(PATH, json=tool("later"))
    await asyncio.sleep(0.4)
    async with client.stream("GET", PATH) as response:
        found = [event async for event in _until_data(response)]
    assert found[-1].json()["method"] == "roots/list"


async def _until_data(response: httpx.Response) -> Any:
    async for event in events(response):
        yield event
        if event.data:
            return


async def test_a_question_that_no_stream_takes_is_refused_in_time(site: Site, web: Web) -> None:
    site.world.placement = placement("legacy", question_seconds=0.3)
    client = await in_session(web, roots={})
    await client.post(PATH, json=tool("later"))
    refusal = {"code": -32603, "message": "The client did not answer in time"}
    await _asked(client, [refusal])


async def test_a_modern_client_is_asked_nothing_outside_of_a_call(web: Web) -> None:
    client = web.client()
    assert text_of(await ask(client, tool("later"), capabilities={"roots": {}})) == "will ask"

    async def is_refused() -> bool:
        asked = json.loads(text_of(await ask(client, tool("asked"), capabilities={"roots": {}})))
        return bool(asked) and asked[0]["code"] == -32601

    await until(is_refused)


async def test_a_modern_client_is_asked_nothing_while_it_lists(site: Site, web: Web) -> None:
    site.world.placement = placement("legacy", env={"SERVER_MODE": "curious"})
    client = web.client()
    listed = await ask(client, request("tools/list", {}), capabilities={"roots": {}})
    assert '"tools"' in listed.text
    asked = json.loads(text_of(await ask(client, tool("asked"), capabilities={"roots": {}})))
    assert asked[0]["code"] == -32601 and "tools/list" in asked[0]["message"]


async def test_a_legacy_client_is_asked_while_it_lists(site: Site, web: Web) -> None:
    site.world.placement = placement("legacy", env={"SERVER_MODE": "curious"})
    client = await in_session(web, roots={})
    async with client.stream("POST", PATH, json=request("tools/list", id="l")) as response:
        stream = events(response)
        await anext(stream)
        question = (await anext(stream)).json()
        await client.post(PATH, json={"jsonrpc": "2.0", "id": question["id"], "result": {"roots": []}})
        assert "tools" in (await anext(stream)).json()["result"]


# --- listeners


class Listening:
    """A modern client's open `subscriptions/listen`."""

    def __init__(self, web: Web, **wanted: Any) -> None:
        body, headers = modern(request("subscriptions/listen", {"notifications": wanted}, "L"))
        self._opening = web.client().stream("POST", PATH, json=body, headers=headers)

    async def __aenter__(self) -> Listening:
        self._stream = events(await self._opening.__aenter__())
        self.acknowledged = (await self.next())["params"]["notifications"]
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._opening.__aexit__(*error)

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            event: SentEvent = await anext(self._stream)
        found: dict[str, Any] = event.json()
        holder = found["params"] if "params" in found else found["result"]
        assert holder["_meta"] == {META + "subscriptionId": "L"}
        return found


async def change(web: Web, method: str = TOOLS_CHANGED) -> None:
    assert text_of(await ask(web.client(), tool("change", method=method))) == "announced"


async def test_listeners_in_two_web_processes_hear_of_a_call_through_a_third(site: Site, server: str) -> None:
    webs = [await site.web() for _ in range(3)]
    async with Listening(webs[0], toolsListChanged=True) as one, Listening(webs[1], toolsListChanged=True) as two:
        assert one.acknowledged == two.acknowledged == {"toolsListChanged": True}
        await change(webs[2])
        for listener in (one, two):
            assert (await listener.next())["method"] == TOOLS_CHANGED


async def test_a_listener_outlives_sleep_and_is_brought_up_to_date(site: Site, server: str) -> None:
    site.world.placement = placement(server, idle_seconds=0.2)
    one, two = await site.web(), await site.web()
    async with Listening(one, toolsListChanged=True) as listener:
        before = await who(two.client())
        link = await two.running.pool.link(site.address)

        async def is_asleep() -> bool:
            (seen,) = (await link.ask(GetStatus())).placements
            return seen.state == "asleep"

        await until(is_asleep, 15)
        assert await who(two.client()) != before
        assert (await listener.next())["method"] == TOOLS_CHANGED
        await change(two)
        assert (await listener.next())["method"] == TOOLS_CHANGED


async def test_a_listener_whose_web_process_stops_is_told_and_listens_anew_elsewhere(site: Site, server: str) -> None:
    one, two = await site.web(), await site.web()
    async with Listening(one, toolsListChanged=True) as listener:
        one.running.streams.drain()
        assert (await listener.next())["result"]["resultType"] == "complete"
    async with Listening(two, toolsListChanged=True) as again:
        await change(two)
        assert (await again.next())["method"] == TOOLS_CHANGED


# --- what one era learns, the other is held to


async def test_headers_of_a_modern_call_are_compared_with_what_only_a_legacy_client_listed(
    site: Site, web: Web
) -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string", "x-mcp-header": "Text"}}}
    extra = json.dumps([{"name": "echo", "inputSchema": schema}])
    site.world.placement = placement("legacy", env={"SERVER_TOOLS": extra})
    body, headers = modern(tool("echo", text="a"))
    client = web.client()
    assert (await client.post(PATH, json=body, headers=headers)).status_code == 200
    listing = await in_session(web)
    assert "x-mcp-header" in (await listing.post(PATH, json=request("tools/list"))).text
    refused = await client.post(PATH, json=body, headers=headers)
    assert error_of(refused)[:2] == (400, -32020)
    assert (await client.post(PATH, json=body, headers={**headers, "mcp-param-text": "a"})).status_code == 200
