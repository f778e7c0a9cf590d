"""Servers that misbehave: a clear error to the client, on the deployment's page and in its log; never a stack trace."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.e2e.conftest import host
from tests.e2e.http_client import HttpClient, outcome
from tests.stack import SECONDS, Stack


@contextmanager
def signed_in(site: Stack, name: str) -> Iterator[httpx.Client]:
    """A browser's cookies of somebody who came by an operator's one-time link."""
    link = site.manage("sign_in_link", "--user", name).stdout.strip()
    with httpx.Client(follow_redirects=True, timeout=SECONDS) as http:
        page = http.get(link)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token is not None, page.text
        form = {"csrfmiddlewaretoken": token.group(1), "password": "correct-horse-battery-9"}
        answer = http.post(link, data=form, headers={"Referer": link})
        assert answer.url.path == "/servers/", answer.text
        yield http


async def error_of(url: str, token: str) -> str:
    """What a legacy client is told when it connects."""
    async with httpx.AsyncClient(timeout=90) as http:
        client = HttpClient(url, token, http)
        message = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        async with client.post("initialize", message) as answer:
            found = await outcome(answer)
            return str(found["error"]["message"])


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("slipway-test-exit", ["exited with code 1", "SETTING_X is missing"]),
        pytest.param("slipway-test-hang", ["did not answer"], marks=pytest.mark.slow),
        pytest.param("slipway-test-rubbish", ["Welcome to my server!"], marks=pytest.mark.slow),
    ],
)
async def test_a_server_that_does_not_start_is_explained_everywhere(
    local_site: Stack, package: str, words: list[str]
) -> None:
    name = package.rpartition("-")[2]
    url, token = host(local_site, package, name)
    told = await error_of(url, token)
    with signed_in(local_site, "alice") as browser:
        for _ in range(60):  # the records follow what the runner sees every five seconds
            page = browser.get(f"{local_site.url}/d/alice/{name}/")
            if all(word in page.text for word in words):
                break
            await asyncio.sleep(1)
    assert page.status_code == 200
    for word in words:
        assert word in told
        assert word in page.text
    assert "Traceback" not in told + page.text
    assert any(word in local_site.log("runner") for word in words)


async def test_an_answer_of_50_mb_is_refused_by_name_of_the_limit(local_site: Stack) -> None:
    url, token = host(local_site, "slipway-test-legacy", "big")
    async with httpx.AsyncClient(timeout=60) as http:
        client = HttpClient(url, token, http)
        await client.initialize()
        async with client.post("tools/call", {"name": "big", "arguments": {"bytes": 50_000_000}}) as answer:
            message = (await outcome(answer))["error"]["message"]
        assert "larger than the limit of 10 MB" in message
        assert await client.call("echo", text="still here") == "still here"


def test_nobody_else_sees_the_page(local_site: Stack) -> None:
    host(local_site, "slipway-test-legacy", "mine")
    host(local_site, "slipway-test-legacy", "other", owner="bob")
    with signed_in(local_site, "bob") as browser:
        assert browser.get(f"{local_site.url}/d/bob/other/").status_code == 200
        assert browser.get(f"{local_site.url}/d/alice/mine/").status_code == 404
    assert httpx.get(f"{local_site.url}/d/alice/mine/", timeout=SECONDS).status_code in (302, 404)
