"""A legacy client over HTTP: sessions, answers, streams, questions, resumption, ends."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from tests.mcp_endpoint.conftest import BOB, PATH, Site, Web, events, initialize, request, session, tool, until


async def test_handshake_gives_a_session_of_visible_ascii(web: Web) -> None:
    client = web.client()
    response = await client.post(PATH, json=initialize())
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body["id"] == "init"
    assert body["result"]["serverInfo"]["name"] == "legacy"
    assert all(0x21 <= ord(character) <= 0x7E for character in response.headers["mcp-session-id"])


async def test_quick_result_is_plain_json(web: Web) -> None:
    client = web.client()
    await session(client)
    response = await client.post(PATH, json=tool("echo", id="a/1", text="hü"))
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "jsonrpc": "2.0", "id": "a/1", "result": {"content": [{"type": "text", "text": "hü"}]}
    }  # fmt: skip


async def test_errors_of_the_server_pass_with_200(web: Web) -> None:
    client = web.client()
    await session(client)
    response = await client.post(PATH, json=request("prompts/list"))
    assert (response.status_code, response.json()["error"]["code"]) == (200, -32601)


async def test_progress_comes_as_a_stream_with_the_clients_token(web: Web) -> None:
    client = web.client()
    await session(client)
    async with client.stream("POST", PATH, json=tool("progress", token="tök", steps=3, pause=0.05)) as response:
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["x-accel-buffering"] == "no"
        seen = [event async for event in events(response)]
    priming, *rest = seen
    assert priming.id and priming.data == "" and priming.retry == "1000"
    messages = [event.json() for event in rest]
    assert [m["params"]["progress"] for m in messages[:-1]] == [1, 2, 3]
    assert {m["params"]["progressToken"] for m in messages[:-1]} == {"tök"}
    assert messages[-1]["result"]["content"][0]["text"] == "done"
    assert len({event.id for event in seen}) == len(seen)


async def test_question_reaches_the_client_and_its_answer_the_server(web: Web) -> None:
    client = web.client()
    await session(client, elicitation={})
    async with client.stream("POST", PATH, json=tool("ask")) as response:
        stream = events(response)
        await anext(stream)
        question = (await anext(stream)).json()
        assert question["method"] == "elicitation/create" and question["params"]["message"] == "Who?"
        answer = {"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"name": "Ada"}}}
        accepted = await client.post(PATH, json=answer)
        assert (accepted.status_code, accepted.content) == (202, b"")
        outcome = (await anext(stream)).json()
    assert json.loads(outcome["result"]["content"][0]["text"])["content"] == {"name": "Ada"}


async def test_session_ends_with_delete(web: Web) -> None:
    client = web.client()
    await session(client)
    assert (await client.delete(PATH)).status_code == 204
    assert (await client.post(PATH, json=tool("echo"))).status_code == 404
    assert (await client.delete(PATH)).status_code == 404
    assert (await client.get(PATH)).status_code == 404


async def test_session_belongs_to_its_principal(site: Site, web: Web) -> None:
    client = web.client()
    await session(client)
    other = web.client(site.token(client_id="another"), **{"mcp-session-id": client.headers["mcp-session-id"]})
    for response in (await other.post(PATH, json=tool("echo")), await other.delete(PATH)):
        assert response.status_code == 404
    assert (await client.post(PATH, json=tool("echo", text="x"))).status_code == 200


async def test_others_neither_hear_nor_answer_what_a_session_is_asked(site: Site, web: Web) -> None:
    """Threats 28 and 29: whoever knows ids of session, event and question, but is somebody else."""
    client = web.client()
    await session(client, elicitation={})
    async with client.stream("POST", PATH, json=tool("ask")) as response:
        stream = events(response)
        await anext(stream)
        asked = await anext(stream)
        question = asked.json()["id"]
        known = {name: client.headers[name] for name in ("mcp-session-id", "mcp-protocol-version")}
        for token in (site.token(client_id="another"), site.token(BOB)):
            stranger = web.client(token, **known)
            heard = await stranger.get(PATH, headers={"last-event-id": asked.id})
            said = {"jsonrpc": "2.0", "id": question, "result": {"action": "accept", "content": {"name": "Eve"}}}
            for refused in (heard, await stranger.get(PATH), await stranger.post(PATH, json=said)):
                assert refused.status_code == 404
                assert "Who?" not in refused.text
        mine = {"jsonrpc": "2.0", "id": question, "result": {"action": "accept", "content": {"name": "Ada"}}}
        assert (await client.post(PATH, json=mine)).status_code == 202
        outcome = (await anext(stream)).json()
    assert json.loads(outcome["result"]["content"][0]["text"])["content"] == {"name": "Ada"}


async def test_markup_of_a_server_is_never_a_page(web: Web) -> None:
    """Threat 30: what a server says is JSON or an event to whoever asks, and sets no cookie."""
    client = web.client()
    await session(client)
    markup = "<script>alert(1)</script>"
    quick = await client.post(PATH, json=tool("echo", text=markup))
    assert markup in quick.text
    page = await client.get(PATH, headers={"accept": "text/html"})
    slow = await client.post(PATH, json=tool("slow", id=2, seconds=0.5, text=markup))
    for answer in (quick, slow, page):
        assert answer.headers["content-type"] in ("application/json", "text/event-stream")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
    assert page.status_code == 406


@pytest.mark.parametrize("header", ["", "x", "A" * 3000, "not base64 !"])
async def test_broken_session_ids_are_not_found(web: Web, header: str) -> None:
    client = web.client(**{"mcp-session-id": header})
    assert (await client.post(PATH, json=tool("echo"))).status_code == 404


async def test_request_without_session_is_bad(web: Web) -> None:
    response = await web.client().post(PATH, json=tool("echo", id=7))
    assert (response.status_code, response.json()["id"]) == (400, 7)


async def test_cancelled_call_ends_without_a_response(web: Web) -> None:
    client = web.client()
    await session(client)
    async with client.stream("POST", PATH, json=tool("slow", id=5, seconds=30)) as response:
        stream = events(response)
        await anext(stream)
        note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}}
        assert (await client.post(PATH, json=note)).status_code == 202
        assert [event async for event in stream] == []


async def test_resumption_on_another_web_process_after_the_first_died(site: Site, web: Web) -> None:
    client = web.client()
    await session(client)
    other = await site.web()
    async with client.stream("POST", PATH, json=tool("slow", id="s", seconds=1.5)) as response:
        primed = await anext(events(response))
        await web.die()
    headers = {name: client.headers[name] for name in ("mcp-session-id", "mcp-protocol-version")}
    again = other.client(**headers, **{"last-event-id": primed.id})
    async with again.stream("GET", PATH) as response:
        assert response.status_code == 200
        seen = [event async for event in events(response)]
    assert seen[-1].json() == {
        "jsonrpc": "2.0", "id": "s", "result": {"content": [{"type": "text", "text": "done"}]}
    }  # fmt: skip
    counted = await again.post(PATH, json=tool("count"))
    assert counted.json()["result"]["content"][0]["text"] == "1"


async def test_same_request_sent_twice_runs_once(web: Web) -> None:
    client = web.client()
    await session(client)
    first = asyncio.create_task(client.post(PATH, json=tool("slow", id=9, seconds=3)))
    await until(lambda: len(web.running.streams) == 1)
    second = await client.post(PATH, json=tool("slow", id=9, seconds=3))
    assert "done" in second.text
    assert "done" not in (await first).text
    counted = await client.post(PATH, json=tool("count", id=10))
    assert counted.json()["result"]["content"][0]["text"] == "1"


async def test_finished_request_sent_again_runs_again_and_its_stream_is_resumed_by_get(web: Web) -> None:
    """2025-11-25 basic/index: an id is used once in a session. A client that counts anew means another request."""
    client = web.client()
    await session(client)
    primed = ""
    for _ in range(2):
        async with client.stream("POST", PATH, json=tool("slow", id=9, seconds=1)) as response:
            seen = [event async for event in events(response)]
        assert '"result"' in seen[-1].data
        primed = seen[0].id
    counted = await client.post(PATH, json=tool("count", id=10))
    assert counted.json()["result"]["content"][0]["text"] == "2"
    resumed = await client.get(PATH, headers={"last-event-id": primed})
    assert '"id":9,"result"' in resumed.text


async def test_session_stream_opens_and_is_resumable(web: Web) -> None:
    client = web.client()
    await session(client)
    async with client.stream("GET", PATH) as response:
        assert response.headers["content-type"] == "text/event-stream"
        primed = await anext(events(response))
        assert primed.id and not primed.data
    async with client.stream("GET", PATH, headers={"last-event-id": primed.id}) as response:
        assert response.status_code == 200


async def test_unknown_event_id_is_bad(web: Web) -> None:
    client = web.client()
    await session(client)
    assert (await client.get(PATH, headers={"last-event-id": "nonsense"})).status_code == 400


async def test_three_calls_at_once_have_an_answer_each(web: Web) -> None:
    client = web.client()
    await session(client)
    posts = [client.post(PATH, json=tool("slow", id=number, seconds=0.4)) for number in range(3)]
    for number, response in enumerate(await asyncio.gather(*posts)):
        assert f'"id":{number},' in response.text


async def test_batches_where_the_revision_had_them(web: Web) -> None:
    client = web.client()
    await session(client, "2025-03-26")
    note = {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"}
    response = await client.post(PATH, json=[tool("echo", id=1, text="a"), note, request("ping", id=2)])
    assert response.status_code == 200
    assert {message["id"] for message in response.json()} == {1, 2}
    assert (await client.post(PATH, json=[note, note])).status_code == 202
    async with client.stream("POST", PATH, json=[tool("slow", id=3, seconds=1), request("ping", id=4)]) as response:
        messages = [event.json() async for event in events(response) if event.data]
    assert [message["id"] for message in messages] == [4, 3]


async def test_no_batches_elsewhere(web: Web) -> None:
    client = web.client()
    await session(client)
    assert (await client.post(PATH, json=[request("ping")])).status_code == 400


async def test_large_result_passes_whole(web: Web) -> None:
    client = web.client()
    await session(client)
    response = await client.post(PATH, json=tool("big", bytes=3_000_000))
    assert "x" * 3_000_000 in response.text


async def test_crash_of_the_server_is_an_error_that_says_so(web: Web) -> None:
    client = web.client()
    await session(client)
    response = await client.post(PATH, json=tool("crash"))
    assert "exit" in response.text and '"error"' in response.text
    await until(lambda: _is_gone(client))


async def _is_gone(client: httpx.AsyncClient) -> bool:
    answer = await client.post(PATH, json=tool("echo"))
    return answer.status_code == 404
