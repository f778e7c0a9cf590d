"""One Slipway as the OAuth client of another: its owner signs in there, and calls go out with the account until it is
ended there."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from mcp.shared.exceptions import MCPError

from tests.e2e.conftest import host
from tests.e2e.person import Person, fields_of
from tests.e2e.test_remotes import MODES, token_for
from tests.e2e.test_story import sdk2, text_of
from tests.stack import Stack

pytestmark = pytest.mark.slow

PAGE = "/d/alice/account/"
SECONDS = 60.0


@pytest.fixture(scope="module")
def near_site(tmp_path_factory: pytest.TempPathFactory, local_site: Stack) -> Iterator[Stack]:
    """A site whose operator lets remotes be on this machine."""
    site = Stack(
        tmp_path_factory.mktemp("client-site"),
        SLIPWAY_EGRESS_PRIVATE="127.0.0.0/8",
        SLIPWAY_EGRESS_PORTS=str(local_site.port),
    )
    try:
        yield site.start()
    finally:
        site.stop()


def seen(person: Person, words: str) -> str:
    """The server's page once it says this."""
    end = time.monotonic() + SECONDS
    while words not in (page := person.http.get(PAGE).text):
        assert time.monotonic() < end, page
        time.sleep(0.25)
    return page


def connect(here: Person, there: Person) -> None:
    page = here.http.get(f"{PAGE}account")
    assert f"<strong>127.0.0.1:{there.site.port}</strong>" in page.text, page.text
    gone = here.http.post(f"{PAGE}account", data=fields_of(page.text))
    assert gone.status_code == 302, gone.text
    redirect_uri = re.findall(r"redirect_uri=([^&]+)", gone.headers["location"])[0]
    said = there.visit(gone.headers["location"])
    back = here.http.get(f"/connect/callback/{redirect_uri.rpartition('%2F')[2]}", params=said)
    assert back.status_code == 302, back.text


def serial(site: Stack) -> int:
    code = "from oauth.models import Connection as C; print(C.objects.get().serial)"
    return int(site.manage("shell", "--no-imports", "-c", code).stdout)


async def test_its_owner_signs_in_to_a_server_of_another_slipway(near_site: Stack, local_site: Stack) -> None:
    inner, _ = host(local_site, "slipway-test-legacy", "account")
    url = near_site.manage("host", f"remote:{inner}", "--owner", "alice", "--name", "account").stdout.strip()
    with Person(near_site, "alice") as here, Person(local_site, "alice") as there:
        seen(here, "Sign in there")
        connect(here, there)
        assert "Slipway at 127.0.0.1" in there.pages[-1]
        seen(here, "Running and answering calls.")
        token = token_for(near_site, "account")
        for mode in MODES:
            async with sdk2(url, token, mode) as client:
                assert text_of(await client.call_tool("echo", {"text": mode})) == mode
        async with sdk2(url, token, MODES[0]) as client:  # its session is one session there, over a new token
            await client.call_tool("echo", {"text": "before"})
            code = "from oauth.models import Connection as C; from common import clock; "
            near_site.manage("shell", "--no-imports", "-c", f"{code}C.objects.update(refresh_at=clock.now())")
            end = time.monotonic() + SECONDS
            while serial(near_site) < 2:
                assert time.monotonic() < end
            assert text_of(await client.call_tool("echo", {"text": "after"})) == "after"
        apps = there.http.get("/account/apps").text
        consent = re.findall(r'name="consent" value="([^"]+)"', apps)[0]
        there.press("/account/apps", consent=consent, action="revoke")
        async with sdk2(url, token, MODES[1]) as client:
            words = ""
            end = time.monotonic() + SECONDS
            while "sign-in" not in words:  # a revocation there counts within a second
                assert time.monotonic() < end, words
                try:
                    words = text_of(await client.call_tool("echo", {"text": "ended"}))
                except MCPError as error:
                    words = str(error)
        seen(here, "needs you again")
        connect(here, there)
        seen(here, "Running and answering calls.")
        gone = here.http.get(PAGE)
        assert here.http.post(f"{PAGE}account/disconnect", data=fields_of(gone.text)).status_code == 302
        assert "Signed in at" not in here.http.get(PAGE).text
