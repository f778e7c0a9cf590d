"""Remote servers as the site holds them: no environment, a placement that says where, the owner's headers sealed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from common.errors import Forbidden
from events.actors import OPERATOR
from hosting import services
from hosting.building import builds
from hosting.configuration.configuring import BadSettings, deployment_settings_set
from hosting.fleet.placing import placement_ensure
from hosting.looks.inspection import deployment_inspect
from hosting.models import Deployment
from hosting.routing import placement_for
from tests.factories import actor_of, make_queued, make_runner, make_user
from tests.hosting.conftest import RunnerProcess

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://example.org/mcp"


def built(reference: str = f"remote:{URL}") -> Deployment:
    deployment = make_queued(make_user(), reference=reference)
    builds.version_build(deployment.versions.get().pk)
    return Deployment.objects.select_related("owner", "current_version").get(pk=deployment.pk)


def test_nothing_is_built_for_it() -> None:
    deployment = built()
    version = deployment.current_version
    assert version is not None
    assert (deployment.kind, deployment.state, deployment.reason) == ("remote", "ready", "built: example.org/mcp")
    assert (version.environment, version.argv, version.remote) == (None, [], {"url": URL})
    assert version.is_ready
    make_runner()
    assert placement_ensure(deployment.pk).is_callable
    _, placement = placement_for(deployment.pk)
    assert placement.remote is not None
    assert (placement.argv, placement.remote.url, placement.remote.headers) == ([], URL, {})


def test_plain_http_needs_the_operators_networks(settings: Any) -> None:
    settings.SLIPWAY_EGRESS_PRIVATE = []
    deployment = built("remote:http://10.0.0.1/mcp")
    assert deployment.state == "failed"
    assert "https only" in deployment.reason
    settings.SLIPWAY_EGRESS_PRIVATE = ["10.0.0.0/8"]
    services.deployment_deploy(actor=OPERATOR, deployment=deployment, reference="remote:http://10.0.0.1/mcp")
    builds.version_build(deployment.versions.get(number=2).pk)
    deployment.refresh_from_db()
    assert deployment.state == "ready"


def test_its_headers_are_its_owners_settings() -> None:
    deployment = built("remote:https://example.org/{tenant}/mcp")
    make_runner()
    placement_ensure(deployment.pk)
    deployment_settings_set(
        actor=OPERATOR,
        deployment=deployment,
        values={"tenant": "acme & co", "header:X-Team": "red"},
        secrets={"header:Authorization": "Bearer s3cret"},
    )
    _, placement = placement_for(deployment.pk)
    assert placement.remote is not None
    assert placement.remote.url == "https://example.org/acme%20%26%20co/mcp"
    assert placement.remote.headers == {"X-Team": "red", "Authorization": "Bearer s3cret"}
    deployment.refresh_from_db()
    assert "s3cret" not in json.dumps(deployment.inputs)


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\nb", "a\0b"])
def test_a_header_is_one_line(value: str) -> None:
    deployment = built()
    with pytest.raises(BadSettings):
        deployment_settings_set(actor=OPERATOR, deployment=deployment, values={"header:X-Team": value})


@pytest.mark.parametrize("name", ["Host", "Content-Length", "Mcp-Session-Id", "MCP-Protocol-Version", "Cookie"])
def test_the_protocols_own_headers_are_not_for_setting(name: str) -> None:
    deployment = built()
    with pytest.raises(BadSettings):
        deployment_settings_set(actor=OPERATOR, deployment=deployment, values={f"header:{name}": "x"})


def test_adding_remotes_is_a_permission_of_its_own(settings: Any) -> None:
    settings.SLIPWAY_MEMBERS_MAY = ["packages", "source"]
    alice = make_user()
    deployment = make_queued(alice)
    with pytest.raises(Forbidden, match="may not add remote servers"):
        services.deployment_deploy(actor=actor_of(alice), deployment=deployment, reference=f"remote:{URL}")
    with pytest.raises(Forbidden, match="may not add remote servers"):
        services.deployment_create(actor=actor_of(alice), owner=alice.name, name="other", reference=f"remote:{URL}")
    assert deployment.versions.count() == 1


class FakeServer(BaseHTTPRequestHandler):
    """A stateless remote with one tool, for who says the word."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers.get("Authorization") != "Bearer word":
            return self._answer(401, b"")
        results: dict[str, dict[str, Any]] = {
            "server/discover": {
                "supportedVersions": ["2026-07-28"],
                "capabilities": {"tools": {}},
                "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "far", "version": "1"}},
            },
            "tools/list": {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]},
        }
        result = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private", **results[message["method"]]}
        return self._answer(200, json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def far() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeServer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_it_is_looked_at_as_any_other(start_runner: Any, far: int, settings: Any) -> None:
    settings.SLIPWAY_EGRESS_PRIVATE = ["127.0.0.0/8"]
    runner: RunnerProcess = start_runner("r1", "--networks", "127.0.0.0/8", "--ports", str(far))
    make_runner(address=runner.address)
    deployment = built(f"remote:http://127.0.0.1:{far}/mcp")
    deployment_inspect(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.state == "failed"
    assert "asks for sign-in: its owner has to connect an account" in deployment.reason
    deployment_settings_set(actor=OPERATOR, deployment=deployment, secrets={"header:Authorization": "Bearer word"})
    deployment_inspect(deployment.pk)
    deployment = Deployment.objects.select_related("current_version").get(pk=deployment.pk)
    version = deployment.current_version
    assert version is not None
    assert (deployment.state, version.era, deployment.tool_count) == ("running", "modern", 1)
    assert version.server_info["name"] == "far"
