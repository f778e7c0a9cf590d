"""Tools that their owner marked need mcp:admin, and say so in a challenge that a client can follow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hosting.tools.definitions import ToolPolicy
from tests.mcp_endpoint.conftest import PATH, RESOURCE, SITE, Site, Web, ask, request, session, tool

CHALLENGE = "mcp:read mcp:call mcp:admin"


def guard(site: Site, *names: str) -> None:
    assert site.world.route is not None
    site.world.route = replace(site.world.route, policy=ToolPolicy(guarded=frozenset(names)))


async def test_marked_tool_needs_its_own_scope(site: Site, web: Web) -> None:
    guard(site, "echo")
    client = web.client()
    refused = await ask(client, tool("echo", text="hello"))
    assert refused.status_code == 403
    said = refused.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in said
    assert f'scope="{CHALLENGE}"' in said
    assert f'resource_metadata="{SITE}/.well-known/oauth-protected-resource/mcp/alice/test"' in said
    assert (await ask(client, tool("count", n=1))).status_code == 200
    assert (await ask(client, request("tools/list", {}))).status_code == 200
    assert RESOURCE.startswith(SITE)


async def test_with_the_scope_it_is_called(site: Site, web: Web) -> None:
    guard(site, "echo")
    client = web.client(site.token(scope=frozenset({"mcp:admin"})))
    assert (await ask(client, tool("echo", text="hello"))).status_code == 200


async def test_legacy_calls_are_challenged_too(site: Site, web: Web) -> None:
    guard(site, "echo")
    client = web.client()
    await session(client)
    body = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "x"}}}
    refused = await client.post(PATH, json=body)
    assert refused.status_code == 403
    assert CHALLENGE in refused.headers["www-authenticate"]


@pytest.mark.parametrize("params", ['{"name": "count", "name": "echo"}', '{"name": "count", "Name": "echo"}', "{}"])
async def test_name_that_readers_could_see_differently_is_refused(site: Site, web: Web, params: str) -> None:
    guard(site, "echo")
    client = web.client()
    await session(client)
    body = f'{{"jsonrpc": "2.0", "id": 8, "method": "tools/call", "params": {params}}}'
    refused = await client.post(PATH, content=body, headers={"content-type": "application/json"})
    assert refused.json()["error"]["code"] in (-32602, -32600)  # or it is the marked one
    assert "result" not in refused.json()
