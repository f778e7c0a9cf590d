"""Threat 35: tools whose text nobody approved are neither listed nor called, in either era and on every way out."""

from __future__ import annotations

import asyncio
import json
import runpy
from dataclasses import replace
from typing import Any

import httpx
import pytest

from hosting.tools.definitions import Definition, ToolPolicy, parts_of
from mcp_endpoint.admission.limits import JSON_SECONDS
from tests.mcp_endpoint.conftest import PATH, SERVERS, Site, Web, ask, events, request, session, tool, until

ALL: tuple[dict[str, Any], ...] = tuple(runpy.run_path(str(SERVERS / "legacy.py"))["TOOLS"])
NAMES = [one["name"] for one in ALL]


def said(name: str, **changes: Any) -> dict[str, Any]:
    """What tests/servers/legacy.py says of a tool."""
    return {"name": name, "description": f"The {name} tool.", "inputSchema": {"type": "object"}, **changes}


def policy(*approved: Definition, off: tuple[str, ...] = (), held: tuple[str, ...] = (), **more: Any) -> ToolPolicy:
    parts = {one["name"]: parts_of(one) for one in approved}
    values: dict[str, Any] = {"is_open": False, "takes_changes": False, "parts": parts, **more}
    return ToolPolicy(off=frozenset(off), held=frozenset(held), **values)


def enforce(site: Site, chosen: ToolPolicy) -> None:
    assert site.world.route is not None
    site.world.route = replace(site.world.route, policy=chosen)


def names(response: httpx.Response) -> list[str]:
    return [one["name"] for one in response.json()["result"]["tools"]]


async def in_force(site: Site, chosen: ToolPolicy) -> None:
    """Until the web processes have read it."""
    enforce(site, chosen)
    directories = [web.running.directory for web in site.webs]
    await until(lambda: all(one.peek(("alice", "test"))[1] == site.world.route for one in directories))


async def test_approved_lists_pass_byte_for_byte(site: Site, web: Web) -> None:
    client = web.client()
    before = (await ask(client, request("tools/list", {}))).content
    await in_force(site, policy(*ALL))
    for _ in range(2):
        assert (await ask(client, request("tools/list", {}))).content == before
    assert "text" in (await ask(client, tool("echo", text="hello"))).text
    assert site.world.told == []


async def test_hidden_tools_are_not_listed_in_either_era(site: Site, web: Web) -> None:
    enforce(site, policy(*ALL, off=("big",), held=("count",)))
    legacy = web.client()
    await session(legacy)
    left = [name for name in NAMES if name not in ("big", "count")]
    for _ in range(2):
        assert names(await legacy.post(PATH, json=request("tools/list"))) == left
        assert names(await ask(web.client(), request("tools/list", {}))) == left
    entry = (await legacy.post(PATH, json=request("tools/list"))).json()["result"]["tools"][0]
    assert entry == said("echo")


async def test_hidden_tools_are_refused_as_unknown(site: Site, web: Web) -> None:
    enforce(site, policy(*ALL, off=("big",), held=("count",)))
    legacy, modern = web.client(), web.client()
    await session(legacy)
    for name, words in (("big", "switched off"), ("count", "waits for the approval"), ("other", "no approved tool")):
        told = await legacy.post(PATH, json=tool(name, id=4))
        assert (told.status_code, told.json()["error"]["code"], told.json()["id"]) == (200, -32602, 4)
        assert told.json()["error"]["message"].startswith("Unknown tool") and words in told.text
        told = await ask(modern, tool(name))
        assert (told.status_code, told.json()["error"]["code"]) == (400, -32602)
        assert words in told.text
    assert "hello" in (await legacy.post(PATH, json=tool("echo", text="hello"))).text
    await until(lambda: {row.tool for row in site.world.calls if row.status == "refused"} == {"big", "count", "other"})


@pytest.mark.parametrize(
    "params",
    [
        '{"name":"big","name":"echo"}',
        '{"name":"echo","Name":"big"}',
        '{"name":"echo","NAME":"big","arguments":{}}',
        '{"Name":"big"}',
        '{"name":["big"]}',
        "{}",
    ],
)
async def test_a_name_that_readers_could_take_for_another(site: Site, web: Web, params: str) -> None:
    enforce(site, policy(*ALL, off=("big",)))
    client = web.client()
    await session(client)
    body = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}'
    told = await client.post(PATH, content=body, headers={"content-type": "application/json"})
    if "result" in told.json():  # one of two equal names was taken out, so that every reader finds the other
        assert params == '{"name":"big","name":"echo"}' and told.json()["result"]["content"][0]["text"] == ""
    else:
        assert told.json()["error"]["code"] == -32602


async def test_arguments_of_that_name_are_no_trouble(site: Site, web: Web) -> None:
    enforce(site, policy(*ALL, off=("big",)))
    client = web.client()
    await session(client)
    params = {"name": "echo", "arguments": {"text": "h\u00e9llo", "name": "big", "Name": "\\"}}
    answer = await client.post(PATH, json=request("tools/call", params))
    assert answer.json()["result"]["content"][0]["text"] == "h\u00e9llo"


async def test_changed_text_is_held_in_the_same_answer_and_the_site_is_told(site: Site, web: Web) -> None:
    """The server says something else than what was approved: no owner has looked, and no client sees it."""
    enforce(site, policy(said("echo", description="Another text."), *ALL[1:]))
    client = web.client()
    await session(client)
    assert names(await client.post(PATH, json=request("tools/list"))) == NAMES[1:]
    await until(lambda: bool(site.world.told))
    assert site.world.told == [[said("echo")]]
    waiting = {"echo": parts_of(said("echo"))}
    approved = policy(said("echo", description="Another text."), *ALL[1:], held=("echo",), waiting=waiting)
    await in_force(site, approved)
    assert names(await client.post(PATH, json=request("tools/list"))) == NAMES[1:]
    await asyncio.sleep(0.5)
    assert len(site.world.told) == 1


async def test_requests_that_follow_each_other_on_one_connection(site: Site, web: Web) -> None:
    """Their heads are known by then, their bodies and the policy are not."""
    legacy, modern = web.client(), web.client()
    await session(legacy)
    for id_ in (100, 101, 102):
        assert "hello" in (await legacy.post(PATH, json=tool("echo", id=id_, text="hello"))).text
        assert "hello" in (await ask(modern, tool("echo", id=id_, text="hello"))).text
    await in_force(site, policy(*ALL, off=("echo",)))
    for id_ in (200, 201, 202):
        for told in (
            await legacy.post(PATH, json=tool("echo", id=id_, text="hello")),
            await ask(modern, tool("echo", id=id_, text="hello")),
        ):
            assert told.json()["error"]["code"] == -32602
        for listed in (
            await legacy.post(PATH, json=request("tools/list", id=id_ + 50)),
            await ask(modern, request("tools/list", {}, id=id_ + 50)),
        ):
            assert "echo" not in names(listed)
    await until(lambda: len(site.world.calls) == 1 + 6 + 12)
    assert sum(row.status == "refused" for row in site.world.calls) == 6


async def test_owners_who_are_not_asked_hide_only_what_they_switched_off(site: Site, web: Web) -> None:
    enforce(site, policy(off=("slow",), takes_changes=True))
    client = web.client()
    await session(client)
    assert names(await client.post(PATH, json=request("tools/list"))) == [name for name in NAMES if name != "slow"]
    assert (await client.post(PATH, json=tool("other"))).json()["result"]["isError"]


async def test_lists_that_take_their_time(site: Site, web: Web) -> None:
    """The first one starts the server, so that it is streamed."""
    enforce(site, policy(*ALL, off=("big",)))
    listed = await ask(web.client(), request("tools/list", {"_meta": {"progressToken": "t"}}))
    assert listed.headers["content-type"].startswith("text/event-stream")
    *_, last = [json.loads(line[6:]) for line in listed.text.splitlines() if line.startswith("data: ")]
    assert "big" not in {one["name"] for one in last["result"]["tools"]}
    client = web.client()
    await session(client)
    slow = request("tools/list", {"pause": JSON_SECONDS * 3}, id="s")
    async with client.stream("POST", PATH, json=slow) as response:
        stream = events(response)
        primed = await anext(stream)
        outcome = await anext(stream)
    assert "big" not in {one["name"] for one in outcome.json()["result"]["tools"]}
    resumed = client.stream("GET", PATH, headers={"last-event-id": primed.id})
    async with resumed as response:
        async for event in events(response):
            if event.data:
                assert "big" not in {one["name"] for one in event.json()["result"]["tools"]}
                break
        else:
            pytest.fail("nothing was resumed")


async def test_in_a_batch(site: Site, web: Web) -> None:
    enforce(site, policy(*ALL, off=("big",)))
    client = web.client()
    await session(client, "2025-03-26")
    batch = [tool("big", id=1), tool("echo", id=2, text="hello"), request("tools/list", id=3)]
    told = {one["id"]: one for one in (await client.post(PATH, json=batch)).json()}
    assert told[1]["error"]["code"] == -32602 and "hello" in str(told[2]["result"])
    assert "big" not in {one["name"] for one in told[3]["result"]["tools"]}
    [alone] = (await client.post(PATH, json=batch[:1])).json()
    assert alone["error"]["code"] == -32602


@pytest.mark.parametrize(
    ("result", "left"),
    [
        (b'{"tools":{"a":1},"x":1.50}', b'{"tools":[],"x":1.50}'),
        (b'{"tools":[1,null,{"name":5}]}', b'{"tools":[]}'),
        (b"[]", b'{"tools":[]}'),
        (b'{"nextCursor":"c"}', b'{"nextCursor":"c"}'),
        (b'{"nextCursor":"c" , "tools":[{"name":"a" , "x":1.50},{"name":"b"}]}',
         b'{"nextCursor":"c","tools":[{"name":"a" , "x":1.50}]}'),
        (b'{"tools":[{"name":"a","x":1.51}]}', b'{"tools":[]}'),
        (b'{"tools":[{"name":"a","X":1.5}]}', b'{"tools":[]}'),
        (b'{"tools":[{"name":"a","inputSchema":{"maximum":1e400}}]}', b'{"tools":[]}'),
        (b'{"tools":[{"name":"a","description":"","annotations":{}}]}', None),
    ],
)  # fmt: skip
async def test_lists_of_odd_shapes(site: Site, web: Web, result: bytes, left: bytes | None) -> None:
    assert site.world.route is not None
    route = replace(site.world.route, policy=policy({"name": "a", "description": "", "x": 1.5}))
    policies = web.running.endpoint._services.tool_policies
    assert policies.shown(route, result) == (result if left is None else left)
