"""The official suite's scenarios for OAuth clients: this site hosts the suite's server as a remote, a person signs in
to it through the site's pages, and the site's runner calls it with the account."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from django.core.cache import cache
from django.test import Client

from hosting.building import builds
from hosting.fleet import reconciling
from hosting.fleet.placing import placement_ensure
from hosting.looks import inspection
from hosting.models import Deployment
from hosting.routing import placement_for
from hosting.runner import control
from hosting.runner.frames import EndRule, Kind
from hosting.runner.placement import Placement
from hosting.stream.links import runner_links
from oauth.outbound import identity
from tests.conformance.suite import installed
from tests.factories import make_queued, make_runner, make_user, owner_of
from tests.hosting.conftest import start_runner  # noqa: F401 - a fixture

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SECONDS = 150
ROUNDS = 3  # how often the person signs in for one scenario
PAGE = "/d/alice/far/account"

BOTH = ["2025-11-25", "2026-07-28"]
SCENARIOS = {
    **dict.fromkeys(
        (
            "metadata-default",
            "metadata-var1",
            "metadata-var2",
            "metadata-var3",
            "basic-cimd",
            "scope-from-www-authenticate",
            "scope-from-scopes-supported",
            "scope-omitted-when-undefined",
            "scope-step-up",
            "scope-retry-limit",
            "token-endpoint-auth-basic",
            "token-endpoint-auth-post",
            "token-endpoint-auth-none",
            "pre-registration",
        ),
        BOTH,
    ),
    **dict.fromkeys(
        (
            "resource-mismatch",
            "offline-access-scope",
            "offline-access-not-supported",
            "authorization-server-migration",
            "iss-supported",
            "iss-not-advertised",
            "iss-supported-missing",
            "iss-wrong-issuer",
            "iss-unexpected",
            "iss-normalized",
            "metadata-issuer-mismatch",
        ),
        BOTH[1:],
    ),
    "2025-03-26-oauth-metadata-backcompat": ["2025-03-26"],
}
NOT_RUN = {
    "2025-03-26-oauth-endpoint-fallback": "a server that describes nothing can't say that it protects codes by PKCE, "
    "and clients must refuse to go on without that from 2025-11-25 on (basic/authorization, “Authorization Code "
    "Protection”)",
    "client-credentials-jwt": "an extension: the site signs in with a person, not for itself",
    "client-credentials-basic": "the same",
    "enterprise-managed-authorization": "an extension: the site takes such assertions, and sends none",
    "wif-jwt-bearer": "an extension of the same kind",
    "dpop": "an extension that is not finished",
    "dpop-nonce": "the same",
}


@dataclass
class Site:
    """The site as the client under test, with Alice at its pages."""

    browser: Client
    start_runner: Callable[..., Any]
    context: dict[str, Any]
    refusal: str = ""

    def use(self, url: str) -> str:
        """Hosts the server, signs in as often as it asks, and calls its first tool. What came of it, in words."""
        port = urlsplit(url).port
        runner = self.start_runner("r1", "--networks", "127.0.0.0/8,::1/128", "--ports", str(port))
        make_runner(address=runner.address)
        deployment = make_queued(make_user("alice"), "far", reference=f"remote:{url}")
        builds.version_build(deployment.versions.get().pk)
        self.browser.force_login(owner_of(deployment))
        for _ in range(ROUNDS):
            if self.works(deployment):
                return "ok"
            if not self.sign_in():
                return f"not signed in: {self.refusal}"
        return "ok" if self.works(deployment) else "signed in, and refused all the same"

    def works(self, deployment: Deployment) -> bool:
        placement_ensure(deployment.pk)
        inspection.deployment_inspect(deployment.pk)
        deployment = Deployment.objects.select_related("owner", "current_version").get(pk=deployment.pk)
        assert deployment.current_version is not None
        tools = deployment.current_version.tools or []
        if deployment.state != "running":
            reconciling.reconcile()
            return False
        is_good = all(asyncio.run(call(*placement_for(deployment.pk), tool["name"])) for tool in tools)
        reconciling.reconcile()
        return is_good and "alert-warn" not in self.browser.get("/d/alice/far/").content.decode()

    def sign_in(self) -> bool:
        page = self.browser.get(PAGE).content.decode()
        digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
        if digest is None:
            self.refusal = page
            return False
        given = {name: self.context[name] for name in ("client_id", "client_secret") if name in self.context}
        answer = self.browser.post(PAGE, {"digest": digest[1], **given})
        assert answer.status_code == 302, answer.content.decode()
        there = httpx2.get(answer["Location"])
        assert there.status_code == 302, there.text
        back = urlsplit(there.headers["location"])
        self.refusal = self.browser.get(back.path, parse_qs(back.query)).content.decode()
        return "Not connected" not in self.refusal


async def call(address: str, placement: Placement, name: str) -> bool:
    async with runner_links() as pool:
        link = await pool.link(address)
        await link.ask(control.Place(placement))
        attached = link.open(
            deployment=placement.deployment,
            epoch=placement.epoch,
            generation=placement.generation,
            owner=inspection.OWNER,
            method="tools/call",
            params=json.dumps({"name": name, "arguments": {}}).encode(),
            revision=inspection.REVISION,
            end=EndRule.CANCEL,
            isolation=inspection.OWNER,
        )
        while True:
            event = await attached.next()
            if event.kind in (Kind.RESULT, Kind.ERROR, Kind.CANCELLED):
                return event.kind is Kind.RESULT


@pytest.fixture
def site(settings: Any, start_runner: Any) -> Iterator[Site]:  # noqa: F811
    cache.clear()
    settings.SLIPWAY_EGRESS_PRIVATE = ["127.0.0.0/8", "::1/128"]
    settings.SLIPWAY_EGRESS_PORTS = frozenset(range(1024, 65536))  # the suite's servers take free ones
    yield Site(Client(), start_runner, {})


@pytest.mark.parametrize(
    ("scenario", "revision"), [(name, revision) for name, revisions in SCENARIOS.items() for revision in revisions]
)
def test_client_scenario(
    site: Site, scenario: str, revision: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if scenario == "basic-cimd":  # the suite knows one document only, which nobody fetches
        settings.SLIPWAY_URL = "https://conformance-test.local"
        monkeypatch.setattr(identity, "document_url", lambda kind, key: f"{settings.SLIPWAY_URL}/client-metadata.json")
    said, output = run(site, scenario, revision, tmp_path)
    (checks,) = tmp_path.glob("out/auth/*/checks.json")
    bad = [check for check in json.loads(checks.read_text()) if check["status"] not in ("SUCCESS", "INFO", "SKIPPED")]
    assert not bad and "OVERALL: PASSED" in output, f"{said}\n{json.dumps(bad, indent=1)}\n{output}"


def run(site: Site, scenario: str, revision: str, folder: Path) -> tuple[str, str]:
    """Of the site, and of the suite."""
    found = installed()
    path = folder / "relay.sock"
    command = f"{sys.executable} {Path(__file__).with_name('relay.py')} {path}"
    arguments = ["--scenario", f"auth/{scenario}", "--spec-version", revision, "--timeout", str(SECONDS * 1000)]
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(1)
        listening.settimeout(SECONDS)
        suite = subprocess.Popen(
            [str(found.node), str(found.suite), "client", "--command", command, *arguments, "-o", str(folder / "out")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "NO_COLOR": "1"},
        )
        try:
            connection, _ = listening.accept()
            with connection, connection.makefile("rw") as lines:
                url, context = lines.readline().strip(), lines.readline()
                site.context = json.loads(context)
                said = "the test failed"
                try:
                    said = site.use(url)
                finally:
                    lines.write(said)
                    lines.flush()
            output, _ = suite.communicate(timeout=SECONDS)
        finally:
            suite.kill()
            suite.wait()
    return said, output


def test_every_scenario_is_run_or_has_its_reason() -> None:
    found = installed()
    listing = subprocess.run(
        [str(found.node), str(found.suite), "list"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert set(re.findall(r"^ +- auth/(\S+)", listing, re.MULTILINE)) == {*SCENARIOS, *NOT_RUN}
