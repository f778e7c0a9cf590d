"""Who gets in, what the others are told, and how soon an open stream ends when access does."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import ECKey

from hosting.runner import control as c
from mcp_endpoint.admission.limits import BODY_BYTES, SWEEP_SECONDS
from mcp_endpoint.directory import FRESH_SECONDS, REVOCATION_SECONDS
from tests.mcp_endpoint.conftest import (
    BOB,
    PATH,
    RESOURCE,
    SECONDS,
    SITE,
    Site,
    Web,
    ask,
    events,
    initialize,
    placement,
    request,
    session,
    tool,
)

METADATA = f"{SITE}/.well-known/oauth-protected-resource/mcp/alice/test"


async def test_anonymous_request_gets_the_challenge(web: Web) -> None:
    client = web.client(None)
    for path in (PATH, "/mcp/nobody/nothing"):
        response = await client.post(path, json=initialize())
        assert response.status_code == 401
        metadata = f"{SITE}/.well-known/oauth-protected-resource{path}"
        expected = f'Bearer resource_metadata="{metadata}", scope="mcp:read mcp:call"'
        assert response.headers["www-authenticate"] == expected
    assert (await client.get(PATH)).status_code == 401
    assert (await client.delete(PATH)).status_code == 401


async def test_metadata_is_at_the_path_form_only(web: Web) -> None:
    client = web.client(None)
    found = await client.get("/.well-known/oauth-protected-resource/mcp/alice/test")
    assert found.json() == {
        "resource": RESOURCE,
        "authorization_servers": [SITE],
        "scopes_supported": ["mcp:read", "mcp:call"],
        "bearer_methods_supported": ["header"],
        "resource_name": "alice/test",
    }
    for path in ("", "/", "/mcp", "/mcp/alice", "/mcp/alice/test/", "/alice/test"):
        assert (await client.get("/.well-known/oauth-protected-resource" + path)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "minutes"),
    [
        ({"aud": f"{SITE}/mcp/alice/other"}, {}),
        ({"aud": SITE}, {}),
        ({"iss": "http://elsewhere.test"}, {}),
        ({}, {"exp": -1}),
        ({}, {"iat": 10}),
    ],
)
async def test_tokens_that_are_not_for_here(
    site: Site, web: Web, changes: dict[str, Any], minutes: dict[str, int]
) -> None:
    times: dict[str, Any] = {name: int(time.time()) + 60 * away for name, away in minutes.items()}
    response = await web.client(site.token(**changes, **times)).post(PATH, json=initialize())
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert METADATA in response.headers["www-authenticate"]


@pytest.mark.parametrize("authorization", ["Bearer", "Basic abc", "Bearer x.y.z", "Bearer " + "a" * 9000])
async def test_tokens_that_are_none(web: Web, authorization: str) -> None:
    client = web.client(None, authorization=authorization)
    assert (await client.post(PATH, json=initialize())).status_code == 401


async def test_token_of_another_key_is_refused(site: Site, web: Web) -> None:
    good, site.key = site.key, ECKey.generate_key("P-256", {"kid": "k"})
    forged = site.token()
    site.key = good
    assert (await web.client(forged).post(PATH, json=initialize())).status_code == 401


async def test_one_resources_known_token_is_refused_at_another(site: Site, web: Web) -> None:
    client = web.client()
    assert (await client.post(PATH, json=initialize())).status_code == 200
    assert (await client.post("/mcp/alice/other", json=initialize())).status_code == 401


async def test_a_token_in_the_query_is_not_looked_at(site: Site, web: Web) -> None:
    response = await web.client(None).post(f"{PATH}?access_token={site.token()}", json=initialize())
    assert response.status_code == 401


async def test_a_cookie_proves_nobody(site: Site, web: Web) -> None:
    """Neither a session of the site nor a token that somebody put into a cookie."""
    for cookie in ("slipway_session=abc", f"access_token={site.token()}", f"Authorization=Bearer {site.token()}"):
        response = await web.client(None, cookie=cookie).post(PATH, json=initialize())
        assert response.status_code == 401 and "set-cookie" not in response.headers


async def test_what_proves_a_caller_does_not_reach_the_server(site: Site, web: Web) -> None:
    """Threat 4: the server is given the call, and neither its token nor its cookies."""
    site.world.placement = placement("mirror")
    token = site.token()
    proofs = {
        "cookie": "slipway_session=cookie-of-alice",
        "proxy-authorization": "Basic proxy-of-alice",
        "x-api-key": "key-of-alice",
    }
    client = web.client(token, **proofs)
    await session(client)
    legacy = await client.post(PATH, json=tool("all", word="given"))
    modern = await ask(web.client(token, **proofs), tool("all", word="given"))
    for answer in (legacy, modern):
        got = answer.json()["result"]["content"][0]["text"].lower()
        assert "given" in got
        words = (token.lower(), "bearer", "authorization", "cookie", "of-alice")
        assert [word for word in words if word in got] == []


async def test_stranger_and_unknown_server_look_the_same(site: Site, web: Web) -> None:
    stranger = await web.client(site.token(BOB)).post(PATH, json=initialize())
    unknown = await web.client(site.token(aud=f"{SITE}/mcp/alice/no")).post("/mcp/alice/no", json=initialize())
    assert stranger.status_code == unknown.status_code == 404
    assert stranger.json() == unknown.json()


async def test_public_servers_take_everybody_with_a_token(site: Site, web: Web) -> None:
    assert site.world.route is not None
    site.world.route = replace(site.world.route, access="public")
    assert (await web.client(site.token(BOB)).post(PATH, json=initialize())).status_code == 200


async def test_missing_scope_is_named(site: Site, web: Web) -> None:
    client = web.client(site.token(scope=frozenset({"mcp:read"})))
    await session(client)
    assert (await client.post(PATH, json=request("tools/list"))).status_code == 200
    refused = await client.post(PATH, json=tool("echo"))
    assert refused.status_code == 403
    challenge = refused.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge and 'scope="mcp:read mcp:call"' in challenge
    admin = web.client(site.token(scope=frozenset({"mcp:admin"})))
    await session(admin)
    assert (await admin.post(PATH, json=tool("echo"))).status_code == 200


async def test_stopped_server_returns_503(site: Site, web: Web) -> None:
    assert site.world.route is not None
    site.world.route = replace(site.world.route, state="stopped")
    response = await web.client().post(PATH, json=initialize())
    assert response.status_code == 503
    assert "stopped" in response.json()["error"]["message"]


async def test_host_and_origin_of_others_are_refused(web: Web) -> None:
    client = web.client()
    assert (await client.post(PATH, json=initialize(), headers={"host": "evil.example.com"})).status_code == 400
    for origin in ("http://evil.example.com", "null", "http://slipway.test.evil.com"):
        assert (await client.post(PATH, json=initialize(), headers={"origin": origin})).status_code == 403
    assert (await client.post(PATH, json=initialize(), headers={"origin": SITE})).status_code == 200


async def test_body_over_the_limit_is_413(web: Web) -> None:
    client = web.client()
    large = await client.post(PATH, content=b" " * (BODY_BYTES + 1), headers={"content-type": "application/json"})
    assert large.status_code == 413

    async def chunks() -> Any:
        for _ in range(BODY_BYTES // 65536 + 2):
            yield b" " * 65536

    chunked = await client.post(PATH, content=chunks(), headers={"content-type": "application/json"})
    assert chunked.status_code == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"accept": "application/json"}, 406),
        ({"accept": "text/html"}, 406),
        ({"accept": "*/*"}, 200),
        ({"mcp-protocol-version": "2001-01-01"}, 400),
    ],
)
async def test_negotiation_headers(web: Web, headers: dict[str, str], status: int) -> None:
    response = await web.client().post(PATH, json=initialize(), headers=headers)
    assert response.status_code == status


async def test_other_methods_and_paths(web: Web) -> None:
    client = web.client()
    for method in ("PUT", "PATCH", "OPTIONS"):
        response = await client.request(method, PATH)
        assert (response.status_code, response.headers["allow"]) == (405, "GET, POST, DELETE")
    for path in ("/mcp/", "/mcp/alice", "/mcp/alice/test/", "/mcp/a/b/c", "/mcp/%2e%2e/x"):
        assert (await client.post(path, json=initialize())).status_code == 404


@pytest.mark.parametrize("how", ["revoked", "not a member", "made private", "expired", "deleted"])
async def test_open_streams_end_soon_after_losing_access(site: Site, web: Web, how: str) -> None:
    assert site.world.route is not None
    if how == "made private":
        site.world.route = replace(site.world.route, access="public", member_ids=frozenset())
    client = web.client()
    await session(client)
    if how == "expired":  # that of the stream, which has time to begin
        client.headers["authorization"] = f"Bearer {site.token(seconds=5)}"
    async with client.stream("GET", PATH) as response:
        stream = events(response)
        await anext(stream)
        if how == "revoked":
            site.world.revoked = {"t1"}
        elif how == "not a member":
            site.world.route = replace(site.world.route, member_ids=frozenset())
        elif how == "made private":
            site.world.route = replace(site.world.route, access="private")
        elif how == "deleted":
            site.world.route = None
        async with asyncio.timeout(SECONDS):
            assert [event async for event in stream] == []
    assert (await client.post(PATH, json=tool("echo"))).status_code in (401, 404)


def test_that_is_within_two_seconds() -> None:
    """What is looked at is at most so old, and looked at so often; how long a machine takes for it comes on top."""
    assert max(FRESH_SECONDS, REVOCATION_SECONDS) + 2 * SWEEP_SECONDS < 2


async def test_calls_go_on_while_the_database_is_down(site: Site, web: Web) -> None:
    client = web.client()
    await session(client)
    site.world.is_down = True
    await asyncio.sleep(2)
    assert (await client.post(PATH, json=tool("echo", text="x"))).status_code == 200
    other = await web.client(site.token(aud=f"{SITE}/mcp/alice/b")).post("/mcp/alice/b", json=initialize())
    assert other.status_code == 503
    assert int(other.headers["retry-after"]) > 0


async def test_placement_is_healed_by_use(site: Site, web: Web) -> None:
    client = web.client()
    assert (await ask(client, tool("echo"))).status_code == 200
    link = await web.running.pool.link(site.address)
    await link.ask(c.Unplace("d1", epoch=1))
    assert (await ask(client, tool("echo"))).status_code == 200


async def test_unplaced_and_unreachable_servers_get_a_runner(site: Site, web: Web) -> None:
    client = web.client()
    assert site.world.route is not None
    site.world.route = replace(site.world.route, runner_address="")
    assert (await ask(client, tool("echo"))).status_code == 200
    nobody = "unix:/tmp/slipway-test-nobody-listens.sock"
    site.world.route = replace(site.world.route, runner_address=nobody)
    await asyncio.sleep(2)
    assert (await ask(client, tool("echo"))).status_code == 200


async def test_no_runner_at_all_is_503(site: Site, web: Web) -> None:
    assert site.world.route is not None
    site.world.route = replace(site.world.route, runner_address="")
    site.world.addresses = []
    response = await ask(web.client(), tool("echo"))
    assert response.status_code == 503
    assert "retry-after" in response.headers


async def test_session_of_a_restarted_runner_is_not_found(site: Site, web: Web) -> None:
    client = web.client()
    await session(client)
    site.runner.kill()
    await site.runner.wait()
    assert (await client.post(PATH, json=tool("echo"))).status_code == 503
    await site.start_runner()
    for response in (await client.post(PATH, json=tool("echo")), await client.get(PATH), await client.delete(PATH)):
        assert response.status_code == 404
    await session(client)
    assert (await client.post(PATH, json=tool("echo"))).status_code == 200
