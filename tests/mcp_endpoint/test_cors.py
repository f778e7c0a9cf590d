"""Browser clients: whose pages may come in, what a preflight is told, and which headers a page gets to see."""

from __future__ import annotations

import pytest

from mcp_endpoint.admission.origin import Gate
from mcp_endpoint.wire import cors
from tests.mcp_endpoint.conftest import PATH, SITE, Site, Web, events, initialize, session, tool

CLIENT = "https://client.example.org"
WELL_KNOWN = f"/.well-known/oauth-protected-resource{PATH}"
ASKED = "authorization, content-type, mcp-protocol-version, mcp-session-id, mcp-param-region, x-other"


@pytest.fixture
async def web(site: Site) -> Web:
    return await site.web(origins=[CLIENT])


async def test_preflight_needs_no_token(web: Web) -> None:
    asking = {"origin": CLIENT, "access-control-request-method": "POST", "access-control-request-headers": ASKED}
    for path in (PATH, "/mcp/nobody/nothing"):
        told = await web.client(None).options(path, headers=asking)
        assert (told.status_code, told.content) == (204, b"")
        assert told.headers["access-control-allow-origin"] == CLIENT
        assert told.headers["access-control-allow-methods"] == "GET, POST, DELETE"
        assert told.headers["access-control-allow-headers"] == ASKED.removesuffix(", x-other")
        assert "Origin" in told.headers["vary"]
        assert "access-control-allow-credentials" not in told.headers


async def test_every_answer_is_readable_by_the_page(web: Web) -> None:
    client = web.client(origin=CLIENT)
    anonymous = await web.client(None, origin=CLIENT).post(PATH, json=initialize())
    assert anonymous.status_code == 401
    opened = await client.post(PATH, json=initialize())
    missing = await client.post(PATH, json=tool("echo"))
    await session(client)
    async with client.stream("POST", PATH, json=tool("progress", token=1, pause=0.05)) as streamed:
        assert [event async for event in events(streamed)]
    for answer in (anonymous, opened, missing, streamed):
        assert answer.headers.get_list("access-control-allow-origin") == [CLIENT]
        exposed = answer.headers["access-control-expose-headers"].lower()
        assert all(name in exposed for name in ("mcp-session-id", "www-authenticate", "mcp-protocol-version"))
        assert answer.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in answer.headers
        assert "set-cookie" not in answer.headers


async def test_pages_of_others_are_refused_before_anything(web: Web) -> None:
    asking = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    for origin in (
        "https://evil.example.com",
        "null",
        "http://client.example.org",
        f"{CLIENT}:8443",
        "http://localhost",
    ):
        for answer in (
            await web.client(None, origin=origin).options(PATH, headers=asking),
            await web.client(origin=origin).post(PATH, json=initialize()),
        ):
            assert answer.status_code == 403
            assert not any(name.startswith("access-control") for name in answer.headers)


async def test_without_an_origin_nothing_changes(web: Web) -> None:
    opened = await web.client().post(PATH, json=initialize())
    assert not any(name.startswith("access-control") for name in opened.headers)
    assert (await web.client().options(PATH)).status_code == 405


async def test_metadata_is_for_everybody(web: Web) -> None:
    for origin in (CLIENT, "https://anybody.example.net"):
        client = web.client(None, origin=origin)
        found = await client.get(WELL_KNOWN)
        assert (found.status_code, found.headers.get_list("access-control-allow-origin")) == (200, ["*"])
        asking = {"access-control-request-method": "GET", "access-control-request-headers": "mcp-protocol-version"}
        told = await client.options(WELL_KNOWN, headers=asking)
        assert (told.status_code, told.headers["access-control-allow-origin"]) == (204, "*")
    assert (await web.client(None, host="evil.example.com").get(WELL_KNOWN)).status_code == 400


def test_loopback_pages_come_in_on_a_loopback_site_only() -> None:
    assert Gate("http://127.0.0.1:8000").takes_origin(b"http://localhost:6274")
    assert not Gate(SITE).takes_origin(b"http://localhost:6274")


@pytest.mark.parametrize("wanted", [b"", b",,", b"x" * 10_000, b"mcp-a\r\nset-cookie: x", b"mcp-\xff", b"*"])
def test_odd_wishes_are_not_granted(wanted: bytes) -> None:
    [allowed] = [value for name, value in cors.preflight(b"o", wanted) if name == b"access-control-allow-headers"]
    assert allowed == b""
