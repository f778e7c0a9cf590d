"""A runner that restarts in place again and again while clients of both eras work: none of them notices."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import Any

import httpx
import pytest

from hosting.runner import control as c
from hosting.stream.stream import RunnerPool, RunnerUnavailableError
from tests.mcp_endpoint.conftest import PATH, Site, Web, ask, events, initialize, tool, until

ELICITATION: dict[str, Any] = {"elicitation": {"form": {}}}


def text_of(message: dict[str, Any]) -> str:
    return str(message["result"]["content"][0]["text"])


async def message_of(response: httpx.Response) -> dict[str, Any]:
    """The final message, of a plain answer or of a stream."""
    assert response.status_code == 200, response.text
    if response.headers["content-type"] == "application/json":
        found: dict[str, Any] = response.json()
        return found
    messages = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    return next(message for message in messages if "result" in message or "error" in message)


async def begin(client: httpx.AsyncClient, **capabilities: Any) -> None:
    """A session. A start that takes long, as over a restart, is answered with a stream."""
    response = await client.post(PATH, json=initialize(**capabilities))
    client.headers["mcp-session-id"] = response.headers["mcp-session-id"]
    client.headers["mcp-protocol-version"] = (await message_of(response))["result"]["protocolVersion"]
    noted = await client.post(PATH, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert noted.status_code == 202, noted.text


class Load:
    """Clients that work until they are told to stop; each fails with the first thing that is not as it should be."""

    def __init__(self, site: Site, webs: list[Web]) -> None:
        self._site = site
        self._webs = webs
        self._count = 0
        self.is_over = False
        self.done: dict[str, int] = {}

    def _client(self, name: str, web: int) -> httpx.AsyncClient:
        return self._webs[web].client(self._site.token(client_id=name, seconds=900))  # longer than fifty restarts take

    def _did(self, name: str) -> int:
        self.done[name] = self.done.get(name, 0) + 1
        return self.done[name]

    async def legacy(self, name: str, web: int) -> None:
        """Calls with a side effect, and every third with progress on a stream."""
        client = self._client(name, web)
        await begin(client)
        ran = number = 0
        while not self.is_over:
            number += 1
            if number % 3:
                ran += 1
                called = await client.post(PATH, json=tool("slow", number, seconds=0.03))
                assert text_of(await message_of(called)) == "done"
            else:
                steps = tool("progress", number, "t", steps=5, pause=0.02)
                async with client.stream("POST", PATH, json=steps) as response:
                    got = [event.json() async for event in events(response) if event.data]
                assert [one["params"]["progress"] for one in got[:-1]] == [1, 2, 3, 4, 5]
                assert text_of(got[-1]) == "done"
            self._did(name)
        counted = await message_of(await client.post(PATH, json=tool("count", "count")))
        assert text_of(counted) == str(ran)

    async def modern(self, name: str) -> None:
        """Calls with a side effect, by turns through both web processes."""
        clients = [self._client(name, web) for web in range(len(self._webs))]
        ran = 0
        while not self.is_over:
            ran += 1
            called = await ask(clients[ran % len(clients)], tool("slow", ran, seconds=0.02))
            assert text_of(await message_of(called)) == "done"
            self._did(name)
        assert text_of(await message_of(await ask(clients[0], tool("count")))) == str(ran)

    async def asked_modern(self, name: str) -> None:
        """Calls that wait for an answer, which is given through the other web process."""
        clients = [self._client(name, web) for web in range(len(self._webs))]
        while not self.is_over:
            first = (await message_of(await ask(clients[0], tool("ask"), capabilities=ELICITATION)))["result"]
            assert first["resultType"] == "input_required", first
            (key,) = first["inputRequests"]
            again = tool("ask")
            value = {"action": "accept", "content": {"name": name}}
            again["params"] |= {"inputResponses": {key: value}, "requestState": first["requestState"]}
            await asyncio.sleep(0.05)
            answered = await message_of(await ask(clients[1], again, capabilities=ELICITATION))
            assert json.loads(text_of(answered)) == value
            self._did(name)

    async def asked_legacy(self, name: str, web: int) -> None:
        client = self._client(name, web)
        await begin(client, elicitation={})
        number = 0
        while not self.is_over:
            number += 1
            async with client.stream("POST", PATH, json=tool("ask", number)) as response:
                async for event in events(response):
                    message = event.json() if event.data else {}
                    if message.get("method") == "elicitation/create":
                        await asyncio.sleep(0.05)
                        answer = {"jsonrpc": "2.0", "id": message["id"], "result": {"action": "cancel"}}
                        assert (await client.post(PATH, json=answer)).status_code == 202
                    elif "id" in message:
                        assert json.loads(text_of(message)) == {"action": "cancel"}
            self._did(name)

    async def new_sessions(self, name: str, web: int) -> None:
        """Cold starts, which may fall into a restart."""
        while not self.is_over:
            client = self._client(name, web)
            await begin(client)
            called = await client.post(PATH, json=tool("echo", text=name))
            assert text_of(await message_of(called)) == name
            assert (await client.delete(PATH)).status_code == 204
            await client.aclose()
            self._did(name)


async def is_restarted(address: str, after: int) -> bool:
    pool = RunnerPool("test")
    try:
        status = await (await pool.link(address)).ask(c.GetStatus())
    except RunnerUnavailableError:  # a busy machine takes its time to start the new image
        return False
    finally:
        await pool.close()
    assert not status.restart_problem
    return status.restarts > after


@pytest.mark.parametrize("times", [3, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
async def test_no_call_fails_or_runs_twice(site: Site, times: int) -> None:
    webs = [await site.web(), await site.web()]
    load = Load(site, webs)
    async with asyncio.TaskGroup() as group:
        group.create_task(load.legacy("legacy-0", 0))
        group.create_task(load.legacy("legacy-1", 1))
        group.create_task(load.modern("modern-0"))
        group.create_task(load.modern("modern-1"))
        group.create_task(load.asked_modern("asked-modern"))
        group.create_task(load.asked_legacy("asked-legacy", 0))
        group.create_task(load.new_sessions("new-sessions", 1))
        async with asyncio.timeout(60 + 40 * times):
            await until(lambda: len(load.done) == 7)
            for number in range(times):
                site.runner.send_signal(signal.SIGHUP)
                await until(lambda: is_restarted(site.address, number))  # noqa: B023 - awaited here
                await asyncio.sleep(0.2)  # of ordinary work
        load.is_over = True
    print(f"{times} restarts in place, {sum(load.done.values())} calls: {load.done}")
    assert site.runner.returncode is None
    assert min(load.done.values()) > times, load.done
