"""A modern client over HTTP: stateless calls, questions as results, subscriptions, cancellation by closing."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.mcp_endpoint.conftest import (
    META,
    MODERN,
    PATH,
    Site,
    Web,
    ask,
    events,
    modern,
    placement,
    request,
    tool,
    until,
)

ELICITATION: dict[str, Any] = {"elicitation": {}}


@pytest.fixture(params=["legacy", "modern"])
def server(request: pytest.FixtureRequest, site: Site) -> str:
    site.world.placement = placement(request.param)
    return str(request.param)


async def test_discovery_and_calls(web: Web, server: str) -> None:
    client = web.client()
    discovered = await ask(client, request("server/discover", id="d"))
    assert discovered.status_code == 200
    result = discovered.json()["result"]
    assert result["resultType"] == "complete" and MODERN in result["supportedVersions"]
    assert result["_meta"][META + "serverInfo"]["name"] == server
    listed = (await ask(client, request("tools/list", {}))).json()["result"]
    assert listed["resultType"] == "complete" and listed["ttlMs"] >= 0 and listed["cacheScope"]
    called = await ask(client, tool("echo", id=3, text="hü"))
    assert called.headers["content-type"] == "application/json"
    assert called.json()["id"] == 3
    assert called.json()["result"]["content"][0]["text"] == "hü"
    assert "mcp-session-id" not in called.headers


async def test_question_answer_and_retry(web: Web, server: str) -> None:
    client = web.client()
    first = (await ask(client, tool("ask"), capabilities=ELICITATION)).json()["result"]
    assert first["resultType"] == "input_required"
    [(key, question)] = first["inputRequests"].items()
    assert question["method"] == "elicitation/create"
    assert first["requestState"] != "state-1"
    again = retry(tool("ask", id=2), first, {key: {"action": "accept", "content": {"name": "Ada"}}})
    done = await ask(client, again, capabilities=ELICITATION)
    result = done.json()["result"]
    assert json.loads(result["content"][0]["text"])["content"] == {"name": "Ada"}
    assert result["resultType"] == "complete"


def retry(message: dict[str, Any], first: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    params = {**message["params"], "inputResponses": answers, "requestState": first["requestState"]}
    return {**message, "params": params}


async def test_state_is_bound_to_request_and_principal(site: Site, web: Web, server: str) -> None:
    client = web.client()
    first = (await ask(client, tool("ask"), capabilities=ELICITATION)).json()["result"]
    answers = {key: {"action": "decline"} for key in first["inputRequests"]}
    good = retry(tool("ask", id=2), first, answers)
    tampered = retry(tool("ask", id=2), {"requestState": first["requestState"] + "-TAMPERED"}, answers)
    other_arguments = retry(tool("ask", id=2, more=1), first, answers)
    other = web.client(site.token(client_id="another"))
    for someone, message in ((client, tampered), (client, other_arguments), (other, good)):
        refused = await ask(someone, message, capabilities=ELICITATION)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, -32602), refused.text
    assert "result" in (await ask(client, good, capabilities=ELICITATION)).json()


async def test_missing_answer_is_asked_for_again(web: Web) -> None:
    client = web.client()
    first = (await ask(client, tool("ask"), capabilities=ELICITATION)).json()["result"]
    again = retry(tool("ask", id=2), first, {"wrong": {"action": "accept"}})
    second = (await ask(client, again, capabilities=ELICITATION)).json()["result"]
    assert second["inputRequests"] == first["inputRequests"]
    done = retry(tool("ask", id=3), second, {key: {"action": "cancel"} for key in second["inputRequests"]})
    assert "cancel" in (await ask(client, done, capabilities=ELICITATION)).json()["result"]["content"][0]["text"]


@pytest.mark.parametrize("answer", [1, None, "x", []])
async def test_answer_that_is_none_is_refused(web: Web, answer: Any) -> None:
    client = web.client()
    first = (await ask(client, tool("ask"), capabilities=ELICITATION)).json()["result"]
    bad = retry(tool("ask", id=2), first, dict.fromkeys(first["inputRequests"], answer))
    refused = await ask(client, bad, capabilities=ELICITATION)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, -32602)


async def test_parked_call_is_resumed_by_another_web_process(site: Site, web: Web) -> None:
    first = (await ask(web.client(), tool("ask"), capabilities=ELICITATION)).json()["result"]
    other = (await site.web()).client()
    answers = {key: {"action": "decline"} for key in first["inputRequests"]}
    done = await ask(other, retry(tool("ask", id=2), first, answers), capabilities=ELICITATION)
    assert "decline" in done.json()["result"]["content"][0]["text"]


async def test_used_up_state_is_refused_and_nothing_runs_again(web: Web) -> None:
    client = web.client()
    first = (await ask(client, tool("ask"), capabilities=ELICITATION)).json()["result"]
    answered = retry(tool("ask", id=2), first, {key: {"action": "decline"} for key in first["inputRequests"]})
    assert "result" in (await ask(client, answered, capabilities=ELICITATION)).json()
    again = await ask(client, answered, capabilities=ELICITATION)
    assert (again.status_code, again.json()["error"]["code"]) == (400, -32602)


async def test_undeclared_capability_is_not_asked_for(web: Web) -> None:
    called = (await ask(web.client(), tool("ask"))).json()["result"]
    assert called["resultType"] == "complete"


async def test_progress_is_streamed_without_event_ids(web: Web) -> None:
    body, headers = modern(tool("progress", token=7, steps=3, pause=0.05))
    async with web.client().stream("POST", PATH, json=body, headers=headers) as response:
        assert response.headers["content-type"] == "text/event-stream"
        seen = [event async for event in events(response)]
    assert not any(event.id for event in seen)
    messages = [event.json() for event in seen]
    assert {m["params"]["progressToken"] for m in messages[:-1]} == {7}
    values = [m["params"]["progress"] for m in messages[:-1]]
    assert values == sorted(values) and values[-3:] == [1, 2, 3]
    assert messages[-1]["result"]["resultType"] == "complete"


async def test_closing_the_stream_cancels_the_call(site: Site, web: Web) -> None:
    site.world.placement = placement(isolation="principal")
    client = web.client()
    body, headers = modern(tool("slow", seconds=60))
    async with client.stream("POST", PATH, json=body, headers=headers) as response:
        assert response.status_code == 200
        assert await _in_flight(site, web) == 1

    async def is_over() -> bool:
        return await _in_flight(site, web) == 0

    await until(is_over)


async def _in_flight(site: Site, web: Web) -> int:
    from hosting.runner.control import GetStatus

    status = await (await web.running.pool.link(site.address)).ask(GetStatus())
    return sum(instance.in_flight for placed in status.placements for instance in placed.instances)


async def test_listening_is_acknowledged_with_the_subscriptions_id(web: Web) -> None:
    wanted = {"toolsListChanged": True, "promptsListChanged": True}
    message = request("subscriptions/listen", {"notifications": wanted}, "L")
    body, headers = modern(message)
    async with web.client().stream("POST", PATH, json=body, headers=headers) as response:
        stream = events(response)
        acknowledged = (await anext(stream)).json()
        assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
        assert acknowledged["params"] == {
            "notifications": {"toolsListChanged": True}, "_meta": {META + "subscriptionId": "L"}
        }  # fmt: skip
        web.running.streams.drain()
        ended = (await anext(stream)).json()
        assert ended["id"] == "L" and ended["result"]["_meta"] == {META + "subscriptionId": "L"}


async def test_client_data_is_told_to_the_server_and_nothing_more(site: Site, web: Web) -> None:
    site.world.placement = placement("modern")
    extra: dict[str, Any] = {
        META + "clientInfo": {"name": "c", "version": "9"},
        META + "logLevel": "info",
        "example.com/x": 1,
    }
    body, headers = modern(tool("meta"), capabilities={"sampling": {}}, **extra)
    trace = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
    called = await web.client().post(PATH, json=body, headers={**headers, "traceparent": trace})
    meta = json.loads(called.json()["result"]["content"][0]["text"])
    assert meta[META + "clientInfo"]["name"] == "c"
    assert meta[META + "clientCapabilities"] == {"sampling": {}}
    assert meta[META + "logLevel"] == "info"
    assert (meta["example.com/x"], meta["traceparent"]) == (1, trace)


async def _refusal(web: Web, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, int, Any]:
    response: httpx.Response = await web.client().post(PATH, json=body, headers=headers)
    answer = response.json()
    assert answer.get("id") == body["id"]
    return response.status_code, answer["error"]["code"], answer["error"].get("data")


async def test_error_codes_have_their_statuses(web: Web) -> None:
    body, headers = modern(tool("echo"), version="1900-01-01")
    assert await _refusal(web, body, headers) == (400, -32022, {"supported": [MODERN], "requested": "1900-01-01"})
    for method in ("initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "nope"):
        body, headers = modern(request(method, {}))
        assert (await _refusal(web, body, headers))[:2] == (404, -32601)
    body, headers = modern(tool("echo"))
    for name, value in (("mcp-method", "tools/list"), ("mcp-name", "ECHO"), ("mcp-protocol-version", "2025-11-25")):
        assert (await _refusal(web, body, {**headers, name: value}))[:2] == (400, -32020)
        left = {key: text for key, text in headers.items() if key != name}
        assert (await _refusal(web, body, left))[:2] == (400, -32020)
    for key in ("protocolVersion", "clientCapabilities"):
        body, headers = modern(tool("echo"))
        del body["params"]["_meta"][META + key]
        assert (await _refusal(web, body, headers))[:2] == (400, -32602)


async def test_get_and_delete_do_not_exist(web: Web) -> None:
    client = web.client(**{"mcp-protocol-version": MODERN})
    for response in (await client.get(PATH), await client.delete(PATH)):
        assert (response.status_code, response.headers["allow"]) == (405, "POST")
