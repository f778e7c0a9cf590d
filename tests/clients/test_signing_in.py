"""Clients that others wrote sign in by themselves: fastmcp 4 and Inspector's command line; a person has a browser."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.clients import packages
from tests.clients.conftest import SECONDS
from tests.e2e.conftest import host
from tests.e2e.fetching_site import site_that_fetches
from tests.e2e.person import Person
from tests.oauth.peers import WebHost
from tests.oauth.signers import Signer
from tests.ports import free_port
from tests.stack import Stack

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).parent / "scripts" / "fastmcp_4.py"
ASKS = re.compile(r"https?://\S+/oauth/authorize\?[^\s\"'<>\\\x1b]+")


@pytest.fixture(scope="module")
def oauth_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, WebHost]]:
    with site_that_fetches(tmp_path_factory) as found:
        yield found


@pytest.fixture(scope="module")
def url(oauth_site: tuple[Stack, WebHost]) -> str:
    return host(oauth_site[0], "slipway-test-legacy", "guarded")[0]


@pytest.fixture
def person(oauth_site: tuple[Stack, WebHost], url: str) -> Iterator[Person]:
    with Person(oauth_site[0], "alice") as alice:
        yield alice


def signs_in(command: list[str], person: Person | None, **environment: str) -> tuple[int, str]:
    """Runs a client; the person visits the page that it asks for, and their browser brings the answer back to it."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**packages.environment(), "BROWSER": "echo %s", **environment},
    )  # fmt: skip
    watch = threading.Timer(2 * SECONDS, process.kill)
    watch.start()
    said = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if person is not None and (asked := ASKS.search(line)) and not person.pages:
                _bring(person.decide(asked[0]))
        return process.wait(), "".join(said)
    finally:
        watch.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _bring(location: str) -> None:
    """The client listens a moment after it has opened the browser."""
    end = time.monotonic() + 20
    while True:
        try:
            httpx.get(location, timeout=20)
        except httpx.ConnectError:
            assert time.monotonic() < end, f"nobody listens at {location}"
            time.sleep(0.1)  # another process's socket: nothing tells when it opens
        else:
            return


def document(web: WebHost, name: str, callback: str) -> str:
    found = f"{web.url}/{name}.json"
    web.put(f"/{name}.json", {
        "client_id": found, "client_name": name, "redirect_uris": [callback],
        "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
    })  # fmt: skip
    return found


def fastmcp(url: str, how: str, **told: str) -> list[str]:
    return packages.fastmcp(SCRIPT, url, how, json.dumps(told))


def test_fastmcp_registers_itself(url: str, person: Person) -> None:
    code, said = signs_in(fastmcp(url, "register"), person)
    assert (code, "RESULT hü" in said) == (0, True), said
    assert "Not verified" in person.pages[0]


def test_fastmcp_has_a_document(oauth_site: tuple[Stack, WebHost], url: str, person: Person) -> None:
    """Whose loopback address has another port than the document says."""
    known = document(oauth_site[1], "fastmcp", "http://localhost/callback")
    code, said = signs_in(fastmcp(url, "document", document=known), person)
    assert (code, "RESULT hü" in said) == (0, True), said
    assert "fastmcp" in person.pages[0] and "localhost" in person.pages[0]


def test_fastmcp_acts_by_itself(oauth_site: tuple[Stack, WebHost], url: str, tmp_path: Path) -> None:
    site, _ = oauth_site
    client_id, secret = site.manage("oauth_client", "add", "--name", "s", "--service-of", "alice").stdout.split()
    code, said = signs_in(fastmcp(url, "secret", id=client_id, secret=secret), None)
    assert (code, "RESULT hü" in said) == (0, True), said
    signer = Signer()
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(signer.jwks))
    words = ("--method", "private_key_jwt", "--jwks", str(keys))
    client_id = site.manage("oauth_client", "add", "--name", "k", "--service-of", "alice", *words).stdout.strip()
    pem = signer.key.as_pem(private=True).decode()
    code, said = signs_in(fastmcp(url, "key", id=client_id, key=pem), None)
    assert (code, "RESULT hü" in said) == (0, True), said


def test_who_says_no_ends_it(url: str, person: Person) -> None:
    person.decision = "deny"
    code, said = signs_in(fastmcp(url, "register"), person)
    assert code != 0 and "RESULT" not in said


@pytest.mark.parametrize("how", ["register", "document"])
def test_inspector(oauth_site: tuple[Stack, WebHost], url: str, person: Person, tmp_path: Path, how: str) -> None:
    callback = f"http://127.0.0.1:{free_port()}/oauth/callback"
    more = [] if how == "register" else ["--client-metadata-url", document(oauth_site[1], "Inspector", callback)]
    command = packages.inspector(
        "--cli", "--server-url", url, "--transport", "http", "--callback-url", callback, "--method", "tools/call",
        "--tool-name", "echo", "--tool-args-json", '{"text": "hü"}', "--format", "json", *more,
    )  # fmt: skip
    opening = {"MCP_AUTO_OPEN_ENABLED": "true", "MCP_INSPECTOR_SECRET_STORE": "memory"}
    code, said = signs_in(command, person, HOME=str(tmp_path), **opening)
    assert (code, "hü" in said) == (0, True), said
    assert len(person.pages) == 1
    assert ("It describes itself at localhost." in person.pages[0]) is (how == "document")
