"""Callers without an account: who is served, who reaches what, and how much of it an address gets."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from hosting.runner.control import GetStatus
from hosting.runner.seen import InstanceSeen
from mcp_endpoint.admission.anonymous import TooManyVisitsError, Visitors, address_of
from tests.mcp_endpoint.conftest import (
    BOB,
    PATH,
    SECONDS,
    Site,
    Web,
    ask,
    events,
    initialize,
    placement,
    request,
    session,
    tool,
    until,
)


def anybody(site: Site, **changes: Any) -> None:
    assert site.world.route is not None
    site.world.route = replace(site.world.route, is_anonymous=True, **changes)


@pytest.fixture
async def open_web(site: Site) -> Web:
    anybody(site)
    return await site.web()


async def instances(site: Site, web: Web) -> list[InstanceSeen]:
    link = await web.running.pool.link(site.address)
    status = await link.ask(GetStatus())
    return [one for placed in status.placements for one in placed.instances]


async def is_challenged(client: httpx.AsyncClient) -> bool:
    """With what costs an address least."""
    return (await client.post(PATH, json=request("ping"))).status_code == 401


async def test_anybody_is_served_in_both_eras(site: Site, open_web: Web) -> None:
    legacy, modern = open_web.client(None), open_web.client(None)
    await session(legacy)
    assert "hello" in (await legacy.post(PATH, json=tool("echo", text="hello"))).text
    assert "hello" in (await ask(modern, tool("echo", text="hello"))).text
    assert (await legacy.delete(PATH)).status_code == 204
    assert (await legacy.post(PATH, json=tool("echo"))).status_code == 404
    await until(lambda: len(site.world.calls) == 4)
    opened, called, asked, refused = site.world.calls
    assert opened.sub.startswith("anonymous:") and opened.client.startswith("anonymous-")
    assert called.sub == opened.sub != asked.sub == "anonymous" and refused.status == "refused"


async def test_others_are_challenged_as_before(site: Site, open_web: Web) -> None:
    for authorization in ("Bearer x.y.z", "Bearer", "Basic abc", ""):
        client = open_web.client(None, authorization=authorization)
        assert (await client.post(PATH, json=initialize())).status_code == 401
    assert (await open_web.client(None).post("/mcp/alice/other", json=initialize())).status_code == 401
    assert site.world.route is not None
    site.world.route = replace(site.world.route, is_anonymous=False)
    await until(lambda: is_challenged(open_web.client(None)))


async def test_everybody_with_a_token_is_let_in_as_themselves(site: Site, open_web: Web) -> None:
    client = open_web.client(site.token(BOB))
    await session(client)
    assert "." not in client.headers["mcp-session-id"]
    await until(lambda: bool(site.world.calls))
    assert site.world.calls[0].sub == BOB


async def test_a_session_is_reached_by_its_whole_id_only(site: Site, open_web: Web) -> None:
    first, second, signed_in = open_web.client(None), open_web.client(None), open_web.client()
    for client in (first, second, signed_in):
        await session(client)
    ids = [client.headers["mcp-session-id"] for client in (first, second, signed_in)]
    name, _, sealed = ids[0].partition(".")
    other_name, _, other_sealed = ids[1].partition(".")
    assert len(name) == 22 and name != other_name
    tries = [
        f"{name}.{other_sealed}", f"{other_name}.{sealed}", sealed, name, f"{name}.", f".{sealed}", ids[2],
        f"{name}.{ids[2]}", f"{ids[0]}x", f"{'A' * 22}.{sealed}", f"{name}.{sealed}.{sealed}",
    ]  # fmt: skip
    for token in tries:
        client = open_web.client(None, **{"mcp-session-id": token, "mcp-protocol-version": "2025-11-25"})
        assert (await client.post(PATH, json=tool("echo"))).status_code == 404, token
        assert (await client.delete(PATH)).status_code == 404
    with_token = open_web.client(**{"mcp-session-id": ids[0], "mcp-protocol-version": "2025-11-25"})
    assert (await with_token.post(PATH, json=tool("echo"))).status_code == 404
    bare = open_web.client(None, **{"mcp-session-id": ids[0], "mcp-protocol-version": "2025-11-25"})
    assert (await bare.post(PATH, json=tool("echo"))).status_code == 200


async def test_sessions_share_nothing(site: Site, open_web: Web) -> None:
    first, second = open_web.client(None), open_web.client(None)
    for client in (first, second):
        await session(client)
    await first.post(PATH, json=tool("slow", seconds=0))
    assert '"text":"1"' in (await first.post(PATH, json=tool("count"))).text.replace(" ", "")
    assert '"text":"0"' in (await second.post(PATH, json=tool("count"))).text.replace(" ", "")
    assert len({one.id for one in await instances(site, open_web)}) == 2


@pytest.mark.parametrize("isolation", ["session", "principal"])
async def test_stateless_calls_find_nothing_of_each_other_at_a_legacy_server(
    site: Site, open_web: Web, isolation: str
) -> None:
    """Each has an instance of its own, which ends with it."""
    site.world.placement = placement(isolation=isolation, era="legacy")
    client = open_web.client(None)
    await ask(client, tool("slow", seconds=0))
    assert '"text":"0"' in (await ask(open_web.client(None), tool("count"))).text.replace(" ", "")

    async def all_gone() -> bool:
        return not await instances(site, open_web)

    await until(all_gone)


async def test_stateless_calls_share_a_modern_server(site: Site, open_web: Web) -> None:
    site.world.placement = placement("modern", era="modern")
    for _ in range(2):
        assert "hello" in (await ask(open_web.client(None), tool("echo", text="hello"))).text
    assert len(await instances(site, open_web)) == 1


async def test_stateless_calls_share_what_its_owner_shares(site: Site, open_web: Web) -> None:
    site.world.placement = placement(isolation="shared", era="legacy")
    await ask(open_web.client(None), tool("slow", seconds=0))
    assert '"text":"1"' in (await ask(open_web.client(None), tool("count"))).text.replace(" ", "")


async def test_a_parked_question_is_reached_by_its_sealed_state_only(site: Site, open_web: Web) -> None:
    can_answer: dict[str, Any] = {"elicitation": {"form": {}}}
    asked = (await ask(open_web.client(None), tool("ask"), capabilities=can_answer)).json()["result"]
    [key] = asked["inputRequests"]
    answers = {key: {"action": "accept", "content": {"name": "me"}}}

    async def again(state: str, name: str = "ask", **options: Any) -> httpx.Response:
        body = tool(name)
        body["params"] |= {"requestState": state, "inputResponses": answers}
        return await ask(options.pop("client", None) or open_web.client(None), body, capabilities=can_answer)

    for refused in (await again(asked["requestState"][:-4] + "AAAA"), await again(asked["requestState"], "echo")):
        assert refused.status_code == 400
    assert (await again(asked["requestState"], client=open_web.client())).status_code == 400
    assert "accept" in (await again(asked["requestState"])).text


async def test_no_list_of_tasks(open_web: Web) -> None:
    client = open_web.client(None)
    await session(client)
    assert (await client.post(PATH, json=request("tasks/list"))).json()["error"]["code"] == -32601


async def test_streams_end_when_an_account_is_needed_again(site: Site, open_web: Web) -> None:
    client = open_web.client(None)
    await session(client)
    async with client.stream("GET", PATH) as response:
        stream = events(response)
        await anext(stream)
        assert site.world.route is not None
        site.world.route = replace(site.world.route, is_anonymous=False, access="public")
        async with asyncio.timeout(SECONDS):
            assert [event async for event in stream] == []
    await until(lambda: is_challenged(client))


# --- limits


async def test_open_requests_of_an_address(site: Site) -> None:
    anybody(site)
    web = await site.web(visitors=Visitors(2, 1000))
    client = web.client(None)
    await session(client)
    slow = [asyncio.create_task(client.post(PATH, json=tool("slow", id=n, seconds=3))) for n in range(2)]
    await until(lambda: len(web.running.streams) == 2)
    refused = await web.client(None).post(PATH, json=initialize())
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 0
    assert "sign in" in refused.json()["error"]["message"]
    assert (await web.client().post(PATH, json=initialize())).status_code == 200  # an account is its own
    await asyncio.gather(*slow)
    assert (await client.post(PATH, json=tool("echo", id=9))).status_code == 200


async def test_requests_a_minute(site: Site) -> None:
    anybody(site)
    web = await site.web(visitors=Visitors(10, 24, lambda: 1000.0))  # a clock that stands
    assert (await web.client(None).post(PATH, json=initialize())).status_code == 200  # counts as ten
    assert (await web.client(None).post(PATH, json=initialize())).status_code == 200
    refused = await web.client(None).post(PATH, json=initialize())
    assert (refused.status_code, refused.json()["id"]) == (429, "init")
    assert int(refused.headers["retry-after"]) in range(10, 20)
    assert [(await ask(web.client(None), tool("echo"))).status_code for _ in range(4)][-1] == 429


def test_a_bucket_fills_again() -> None:
    now = 1000.0
    visitors = Visitors(100, 60, lambda: now)
    for _ in range(60):
        visitors.enter("a")
        visitors.leave("a")
    with pytest.raises(TooManyVisitsError) as refused:
        visitors.enter("a")
    assert refused.value.retry_after == 1
    visitors.enter("b")
    now += 2
    visitors.enter("a")
    visitors.enter("a")
    with pytest.raises(TooManyVisitsError):
        visitors.enter("a")


def test_addresses_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_endpoint.admission.anonymous._ADDRESSES", 100)
    visitors = Visitors()
    visitors.enter("stays")
    for n in range(1000):
        visitors.enter(str(n))
        visitors.leave(str(n))
    assert len(visitors._visits) <= 100
    visitors.leave("stays")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_what_counts_as_an_address(host: str | None, address: str) -> None:
    assert address_of(host) == address
