"""Questions across the eras: parked ones, those of which nothing is kept, and those outside of a call."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from tests.mcp_endpoint.conftest import (
    PATH,
    Site,
    Web,
    ask,
    events,
    placement,
    request,
    tool,
    until,
)
from tests.mcp_endpoint.eras.asking import (
    ELICITATION,
    error_of,
    in_session,
    restart,
    retry,
    text_of,
    who,
)


async def test_a_parked_question_delays_no_other_call(site: Site, web: Web) -> None:
    client = web.client()
    first = (await ask(client, tool("ask"), capabilities=ELICITATION)).json()["result"]
    other = await who(client, elicitation={})
    assert other == await who(client, elicitation={})
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
