"""Who listens hears of changes, through sleep and other web processes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hosting.runner.control import GetStatus
from tests.mcp_endpoint.conftest import (
    META,
    PATH,
    SECONDS,
    SentEvent,
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
from tests.mcp_endpoint.eras.asking import (
    TOOLS_CHANGED,
    error_of,
    in_session,
    text_of,
    who,
)


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
        async with asyncio.timeout(SECONDS):
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

        await until(is_asleep)
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
