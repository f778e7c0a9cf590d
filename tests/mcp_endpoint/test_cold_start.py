"""A call that finds the server asleep: it waits, and whoever asked for progress is told what is happening."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.mcp_endpoint.conftest import PATH, Site, Web, ask, events, initialize, modern, placement, tool

SLOW = {"SERVER_MODE": "slow-start"}


def told(got: list[dict[str, Any]]) -> list[str]:
    return [one["params"]["message"] for one in got if one.get("method") == "notifications/progress"]


async def test_a_modern_client_that_asked_for_progress_is_told(site: Site, web: Web) -> None:
    site.world.placement = placement(env=SLOW)
    body, headers = modern(tool("echo", token="t", text="hello"))
    async with web.client().stream("POST", PATH, json=body, headers=headers) as response:
        assert response.headers["content-type"] == "text/event-stream"
        got = [event.json() async for event in events(response) if event.data]
    assert got[-1]["result"]["content"][0]["text"] == "hello"
    assert any(words.startswith("starting: ") for words in told(got)), got
    assert all(one["params"]["progressToken"] == "t" for one in got[:-1])


async def test_a_modern_client_that_did_not_ask_gets_its_answer_alone(site: Site, web: Web) -> None:
    site.world.placement = placement(env=SLOW)
    response = await ask(web.client(), tool("echo", text="hello"))
    assert response.headers["content-type"] == "application/json"
    assert response.json()["result"]["content"][0]["text"] == "hello"


async def test_a_legacy_client_that_asked_for_progress_is_told(site: Site, web: Web) -> None:
    site.world.placement = placement(env=SLOW)
    opening = initialize()
    opening["params"]["_meta"] = {"progressToken": "t"}
    async with web.client().stream("POST", PATH, json=opening) as response:
        assert response.status_code == 200
        got = [event.json() async for event in events(response) if event.data]
    assert got[-1]["result"]["protocolVersion"] == "2025-11-25"
    assert any(words.startswith("starting: ") for words in told(got)), got


async def test_idle_for_its_seconds_it_sleeps_and_the_next_call_wakes_it(site: Site, web: Web) -> None:
    site.world.placement = placement(idle_seconds=0.2)
    client = web.client()
    first = (await ask(client, tool("who"))).json()["result"]["content"][0]["text"]
    again = first
    for _ in range(100):
        again = (await ask(client, tool("who"))).json()["result"]["content"][0]["text"]
        if again != first:
            break

        await asyncio.sleep(1.5)
    assert again != first


async def test_calls_that_meet_a_server_as_it_falls_asleep_never_fail(site: Site, web: Web) -> None:
    """Instances are looked at once a second; these clients pause about as long, each in a rhythm of its own."""
    site.world.placement = placement(idle_seconds=0.1)
    seen: dict[int, set[str]] = {}

    async def work(number: int) -> None:
        client = web.client(site.token(client_id=f"c{number}"))
        for turn in range(6):
            response = await ask(client, tool("who", turn, token="t"))
            assert response.status_code == 200, response.text
            data = [line[6:] for line in response.text.splitlines() if line.startswith("data: {")]
            message = json.loads(data[-1] if data else response.text)
            seen.setdefault(number, set()).add(message["result"]["content"][0]["text"])
            await asyncio.sleep(0.85 + 0.07 * number)

    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(work(number))
    assert sum(map(len, seen.values())) > 12, seen  # many of them were asleep, and woke
