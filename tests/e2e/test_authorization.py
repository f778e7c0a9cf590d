"""The official SDK's client connects through consent, is refreshed, asked again, and ended, on a whole site."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent

from tests.e2e.conftest import host
from tests.e2e.fetching_site import site_that_fetches
from tests.e2e.person import CALLBACK, Person, Storage, provider
from tests.oauth.peers import WebHost
from tests.oauth.signers import Signer
from tests.stack import SECONDS, Stack


@asynccontextmanager
async def connect(url: str, auth: Any) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(auth=auth, timeout=SECONDS) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client


async def echo(client: Client) -> str:
    result = await client.call_tool("echo", {"text": "hü"})
    assert isinstance(result.content[0], TextContent)
    return result.content[0].text


async def test_sdk_client_registers_asks_and_calls(local_site: Stack) -> None:
    url, _ = host(local_site, "slipway-test-legacy", "guarded")
    with Person(local_site, "alice") as person:
        await story(url, person)


async def story(url: str, person: Person) -> None:
    storage = Storage()
    auth = provider(url, person, storage)
    async with connect(url, auth) as client:
        assert await echo(client) == "hü"
    assert len(person.pages) == 1
    assert "alice/guarded" in person.pages[0]
    assert "Not verified" in person.pages[0]

    # A token that is not good any more is refreshed without the person.
    assert storage.tokens is not None
    before = storage.tokens.model_copy()
    auth.context.token_expiry_time = time.time() - 1
    async with connect(url, auth) as client:
        assert await echo(client) == "hü"
    assert len(person.pages) == 1
    assert storage.tokens.refresh_token != before.refresh_token

    # What was rotated away is dead, in each of the site's processes, soon.
    async with httpx2.AsyncClient(timeout=SECONDS) as http:
        await refused(http, url, before.access_token)

    # Disconnecting ends the rest.
    person.press("/account/apps", action="revoke")
    async with httpx2.AsyncClient(timeout=SECONDS) as http:
        await refused(http, url, storage.tokens.access_token)


async def refused(http: httpx2.AsyncClient, url: str, token: str) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            answer = await http.post(url, headers={"Authorization": f"Bearer {token}"}, content=b"{}")
            if answer.status_code == 401:
                break
            await asyncio.sleep(0.1)
    assert "invalid_token" in answer.headers["www-authenticate"]


# --- a site of their own, which may fetch documents from a host on this machine


@pytest.fixture(scope="module")
def oauth_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, WebHost]]:
    with site_that_fetches(tmp_path_factory) as found:
        yield found


@pytest.mark.slow
async def test_client_with_a_document_connects_and_steps_up(oauth_site: tuple[Stack, WebHost]) -> None:
    site, web = oauth_site
    url, _ = host(site, "slipway-test-legacy", "documents")
    document = f"{web.url}/client.json"
    web.put("/client.json", {
        "client_id": document, "client_name": "Documented", "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
    })  # fmt: skip
    with Person(site, "alice") as person:
        storage = Storage()
        auth = provider(url, person, storage, document)
        async with connect(url, auth) as client:
            assert await echo(client) == "hü"
            assert storage.client is not None and storage.client.client_id == document
            assert "mcp:admin" not in person.pages[0]
            person.press("/d/alice/documents/tools", action="guard", tool="echo", guarded="1")
            await guarded(url, storage)
            assert await echo(client) == "hü"
        assert len(person.pages) == 2
        assert "mcp:admin" in person.pages[1]
        assert storage.tokens is not None and "mcp:admin" in (storage.tokens.scope or "")


async def guarded(url: str, storage: Storage) -> None:
    """Until the endpoint knows that the tool is marked."""
    assert storage.tokens is not None
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "x"}}}
    headers = {
        "Authorization": f"Bearer {storage.tokens.access_token}",
        "Accept": "application/json, text/event-stream",
    }
    async with asyncio.timeout(SECONDS), httpx2.AsyncClient(timeout=SECONDS) as http:
        while True:
            if (await http.post(url, json=body, headers=headers)).status_code == 403:
                break
            await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_clients_that_act_by_themselves(oauth_site: tuple[Stack, WebHost], tmp_path: Path) -> None:
    """SEP-1046 with the SDK's own providers: a secret, and a key."""
    site, _ = oauth_site
    url, _ = host(site, "slipway-test-legacy", "machines")
    client_id, secret = site.manage("oauth_client", "add", "--name", "s", "--service-of", "alice").stdout.split()
    async with connect(
        url, ClientCredentialsOAuthProvider(url, Storage(), client_id, secret, issuer=site.url)
    ) as client:
        assert await echo(client) == "hü"
    signer = Signer()
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(signer.jwks))
    words = ("--method", "private_key_jwt", "--jwks", str(keys))
    client_id = site.manage("oauth_client", "add", "--name", "k", "--service-of", "alice", *words).stdout.strip()
    pem = signer.key.as_pem(private=True).decode()
    signing = SignedJWTParameters(issuer=client_id, subject=client_id, signing_algorithm="ES256", signing_key=pem)
    by_key = PrivateKeyJWTOAuthProvider(
        url, Storage(), client_id, assertion_provider=signing.create_assertion_provider(), issuer=site.url
    )
    async with connect(url, by_key) as client:
        assert await echo(client) == "hü"


@pytest.mark.slow
async def test_client_with_the_word_of_an_identity_provider(oauth_site: tuple[Stack, WebHost]) -> None:
    """SEP-990 with the SDK's own provider."""
    site, web = oauth_site
    url, _ = host(site, "slipway-test-legacy", "company", owner="acme-boss")
    site.manage("shell", "-c", ORGANIZATION)
    client_id, secret = site.manage(
        "oauth_client", "add", "--name", "Desk", "--enterprise", "--method", "client_secret_post"
    ).stdout.split()
    signer = Signer()
    issuer = web.url
    site.manage(
        "trust_idp", "--organization", "acme", "--issuer", issuer, "--jwks-uri", web.put("/idp-keys", signer.jwks),
        "--link", "boss-1=acme-boss",
    )  # fmt: skip
    url = url.replace("/acme-boss/", "/acme/")

    async def assertion(audience: str, resource: str) -> str:
        return signer.id_jag(issuer, "boss-1", client_id, aud=audience, resource=resource)

    auth = IdentityAssertionOAuthProvider(url, Storage(), client_id, secret, site.url, assertion)
    async with connect(url, auth) as client:
        assert await echo(client) == "hü"


ORGANIZATION = """
from accounts.models import Name, User
from accounts.services import organization_create
from events.actors import OPERATOR
from hosting.models import Deployment
acme = organization_create(actor=OPERATOR, name="acme", owner=User.objects.get(username="acme-boss"))
Deployment.objects.filter(name="company").update(owner=Name.objects.get(organization=acme))
"""
