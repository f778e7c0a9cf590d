"""One person's story in a browser: invited, adds a passkey, lets a program in, and throws it out again."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.e2e.conftest import LEGACY
from tests.packages.local_index import LocalIndex
from tests.pages.conftest import CHROMIUM, FLAGS
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

CALLBACK = "http://127.0.0.1:33418/callback"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def named_site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """At a host name, since no passkey belongs to an address of digits."""
    with LocalIndex() as index:
        index.add_wheel(
            "slipway-test-legacy",
            "1.0",
            {"slipway_test_legacy.py": LEGACY.read_text()},
            scripts={"slipway-test-legacy": "slipway_test_legacy:main"},
        )
        site = NamedStack(tmp_path_factory.mktemp("named"), UV_INDEX=f"{index.url}/simple", WEB_PROCESSES="2")
        try:
            yield site.start()
        finally:
            site.stop()


class NamedStack(Stack):
    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> Any:
        return {**super().environment, "SLIPWAY_URL": self.url}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(named_site: Stack) -> AsyncIterator[Page]:
    """With an authenticator of the browser's own, that always finds its person."""
    if CHROMIUM is None:
        pytest.skip("There is no Chromium on this machine.")
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context(base_url=named_site.url)
        context.set_default_timeout(15_000)
        page = await context.new_page()
        devtools = await context.new_cdp_session(page)
        await devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        yield page
        await browser.close()


async def test_a_persons_story(named_site: Stack, page: Page) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None,
    )
    url = named_site.manage("host", "pypi:slipway-test-legacy", "--owner", "olga", "--name", "echo", "--access",
                            "public", seconds=300).stdout.strip()  # fmt: skip
    invitation = named_site.manage("invite", "--note", "Vera").stdout.strip()
    await page.goto(invitation)
    await page.get_by_label("Name").fill("vera")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create the account").click()
    await page.wait_for_url("**/servers/")
    await _add_passkey(page)
    await _sign_in_by_passkey(page)
    async with httpx2.AsyncClient() as http:
        token = await _connect(page, http, named_site.url, url)
        assert (await _list(http, url, token)).status_code == 200
        await _disconnect(page)
        began = time.monotonic()
        while (await _list(http, url, token)).status_code != 401:
            assert time.monotonic() - began < 1.5, "a revoked token still opens the server"
            await asyncio.sleep(0.02)  # the endpoint looks twice a second; nothing tells when it did
        assert time.monotonic() - began < 1.2
    assert complaints == []


async def _add_passkey(page: Page) -> None:
    await page.goto("/accounts/2fa/webauthn/add/")
    if "reauthenticate" in page.url:
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Confirm").click()
    await page.get_by_label("Passwordless").check()
    await page.get_by_role("button", name="Add").click()
    await page.wait_for_url(lambda address: "/add" not in address)


async def _sign_in_by_passkey(page: Page) -> None:
    await page.context.clear_cookies()
    await page.goto("/accounts/login/")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.wait_for_url("**/servers/")
    await expect(page.locator(".menu-name")).to_have_text("vera")


async def _connect(page: Page, http: httpx2.AsyncClient, site: str, resource: str) -> str:
    """As a program does that registers itself; the token."""
    asked = {"client_name": "Robo", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    client = (await http.post(f"{site}/oauth/register", json=asked)).json()["client_id"]
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code", "client_id": client, "redirect_uri": CALLBACK, "scope": "mcp:read mcp:call",
        "state": "s", "code_challenge": challenge, "code_challenge_method": "S256", "resource": resource,
    }  # fmt: skip
    answers: asyncio.Queue[str] = asyncio.Queue()

    async def listen(route: Route) -> None:
        await answers.put(route.request.url)
        await route.fulfill(body="You may close this window.")

    await page.route(f"{CALLBACK}**", listen)
    await page.goto(f"/oauth/authorize?{urlencode(query)}")
    await expect(page.get_by_role("heading")).to_contain_text("Robo asks for access")
    await expect(page.locator("#who")).to_contain_text("127.0.0.1")
    await expect(page.get_by_text("Anything on this computer could claim to be Robo")).to_be_visible()
    await page.get_by_role("button", name="Allow").click()
    answer = parse_qs(urlsplit(await asyncio.wait_for(answers.get(), 15)).query)
    assert answer["iss"] == [site] and answer["state"] == ["s"]
    sent = {
        "grant_type": "authorization_code", "client_id": client, "code": answer["code"][0], "redirect_uri": CALLBACK,
        "code_verifier": verifier, "resource": resource,
    }  # fmt: skip
    got = await http.post(f"{site}/oauth/token", data=sent)
    assert got.status_code == 200, got.text
    token: str = got.json()["access_token"]
    return token


async def _list(http: httpx2.AsyncClient, url: str, token: str) -> httpx2.Response:
    """The shortest question that needs a good token; 400 would be an answer about the session, after the token."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    begin = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }  # fmt: skip
    return await http.post(url, json=begin, headers=headers, timeout=60)


async def _disconnect(page: Page) -> None:
    await page.goto("/account/apps")
    row = page.locator("li", has_text="Robo")
    await expect(row).to_contain_text("olga/echo")
    await row.get_by_role("button", name="Disconnect").click()
    await expect(page.get_by_text("Its access has ended")).to_be_visible()
