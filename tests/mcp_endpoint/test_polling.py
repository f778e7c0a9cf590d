"""SEP-1699: long streams are closed by us, and a client that comes back misses nothing."""

from __future__ import annotations

import pytest

from tests.mcp_endpoint.conftest import LEGACY, PATH, Site, Web, ask, events, session, tool
from tests.mcp_endpoint.test_sdk_clients import connect

SHORT = 0.6


@pytest.fixture
async def web(site: Site) -> Web:
    return await site.web(stream_seconds=SHORT)


async def test_long_call_is_fetched_in_pieces(site: Site, web: Web) -> None:
    client = web.client()
    await session(client)
    other = (await site.web(stream_seconds=SHORT)).client(
        **{name: client.headers[name] for name in ("mcp-session-id", "mcp-protocol-version")}
    )
    message = tool("progress", id="p", token="t", steps=20, pause=0.15)
    seen, pieces = [], 1
    async with client.stream("POST", PATH, json=message) as response:
        seen += [event async for event in events(response)]
    assert seen[0].retry and not seen[0].data  # primed, and ended in the same way
    assert seen[-1].retry and not seen[-1].data and seen[-1].id == seen[-2].id
    while '"result"' not in seen[-1].data:
        assert not seen[-1].data
        client, other = other, client
        async with client.stream("GET", PATH, headers={"last-event-id": seen[-1].id}) as response:
            assert response.status_code == 200
            seen += [event async for event in events(response)]
        pieces += 1
    assert pieces > 2
    values = [event.json()["params"]["progress"] for event in seen if '"progress"' in event.data]
    assert values == list(range(1, 21))


async def test_session_stream_is_closed_and_goes_on(web: Web) -> None:
    client = web.client()
    await session(client)
    async with client.stream("GET", PATH) as response:
        first, last = [event async for event in events(response)]
    assert (first.id, last.id, last.data, last.retry) == ("c:start", "c:start", "", "1000")
    async with client.stream("GET", PATH, headers={"last-event-id": last.id}) as response:
        assert response.status_code == 200


@pytest.mark.parametrize("revision", ["2025-06-18", "2025-03-26", "2024-11-05"])
async def test_older_clients_see_neither_empty_events_nor_closed_streams(web: Web, revision: str) -> None:
    client = web.client()
    await session(client, revision)
    async with client.stream("POST", PATH, json=tool("slow", id=1, seconds=1.5)) as response:
        seen = [event async for event in events(response)]
    assert len(seen) == 1 and "done" in seen[0].data


async def test_modern_calls_are_never_closed(web: Web) -> None:
    response = await ask(web.client(), tool("slow", seconds=1.5))
    assert "done" in response.text


async def test_sdk_client_does_not_notice(web: Web) -> None:
    seen: list[float] = []

    async def progressed(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    async with connect(web, "legacy") as client:
        assert client.protocol_version == LEGACY
        done = await client.call_tool("progress", {"steps": 12, "pause": 0.15}, progress_callback=progressed)
    assert done.content[0].text == "done"  # type: ignore[union-attr]
    assert seen == list(range(1, 13))
