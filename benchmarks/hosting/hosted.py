"""Slipway as these benchmarks host with it: the real `manage.py up`, real packages or a small server, one runner."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.endpoint.calls import Target
from hosting.runner.placement import Placement
from tests.packages.local_index import LocalIndex
from tests.stack import Stack

OWNER = "bench"
SMALL = "slipway-benchmark-small"
PACKAGES = {
    "small": f"pypi:{SMALL}",
    "python": "pypi:mcp-server-time",
    "node": "npm:@modelcontextprotocol/server-everything",
}
_CODE = (Path(__file__).parents[1] / "endpoint" / "echo_server.py").read_text()

_PLACEMENT = """
import msgspec
from hosting.models import Deployment
from hosting.fleet.placing import placement_ensure
from hosting.routing import placement_for
placement_ensure(Deployment.objects.get(name={name!r}).pk)
address, placement = placement_for(Deployment.objects.get(name={name!r}).pk)
print("PLACED", address, msgspec.json.encode(placement).decode())
"""

_MANY = """
from accounts.services import user_create
from accounts.selectors import name_get
from events.actors import OPERATOR
from hosting.models import Deployment
from hosting.routing import resource_url
from hosting.services import deployment_host
from oauth.services import endpoint_token_issue
owner = name_get({owner!r})
for number in range({count}):
    deployment, _ = deployment_host(actor=OPERATOR, owner=owner, name=f"many{{number}}", reference={package!r})
    resource = resource_url(owner.folded, deployment.folded_name)
    token = endpoint_token_issue(actor=OPERATOR, user=owner.user, deployment_id=deployment.pk, resource=resource,
                                 scopes=["mcp:read", "mcp:call"], ttl_seconds=36000)[1]
    print("HOSTED", resource, token)
"""
_LEFT = """
from hosting.models import Deployment, DeploymentVersion
waiting = DeploymentVersion.objects.filter(built_at=None, failure="").count()
print("LEFT", waiting + Deployment.objects.exclude(state__in=("ready", "running")).count())
"""
BUILD_SECONDS = 1800.0
UP_SECONDS = 300.0  # on a machine that is busy with other work


class Site:
    """Up once made. Instances go to sleep after `idle_seconds`."""

    def __init__(self, idle_seconds: int, **environment: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="slipway-benchmark-")
        self._index = LocalIndex()
        self._index.__enter__()
        module = SMALL.replace("-", "_")
        self._index.add_wheel(SMALL, "1.0", {f"{module}.py": _CODE}, scripts={SMALL: f"{module}:legacy"})
        self.stack = Stack(
            Path(self._folder.name),
            UV_INDEX=f"{self._index.url}/simple",
            WEB_PROCESSES="1",
            SLIPWAY_IDLE_SECONDS=str(idle_seconds),
            SLIPWAY_LEAST_IDLE_SECONDS="1",
            **environment,
        )
        self.stack.launch()
        try:
            self.stack.expect("Slipway is ready at ", UP_SECONDS)
        except BaseException:
            self.stop()
            raise

    def host(self, package: str, name: str, era: str = "modern") -> Target:
        """Build and wait; the client of that era."""
        url = self.stack.manage("host", package, "--owner", OWNER, "--name", name, seconds=900).stdout.strip()
        words = ("issue_token", "--user", OWNER, "--deployment", f"{OWNER}/{name}", "--ttl", "36000")
        return Target(url, era, self.stack.manage(*words).stdout.strip())

    def host_many(self, package: str, count: int) -> list[Target]:
        """So many deployments of one package, built, looked at and asleep again. Raises AssertionError."""
        said = self.shell(_MANY.format(owner=OWNER, count=count, package=package))
        found = [line.split(" ") for line in said.splitlines() if line.startswith("HOSTED ")]
        end = time.monotonic() + BUILD_SECONDS
        while "LEFT 0\n" not in (said := self.shell(_LEFT)):
            assert time.monotonic() < end, said
            time.sleep(5)
        return [Target(url, "modern", token) for _, url, token in found]

    def placement(self, name: str) -> tuple[str, Placement]:
        """The runner's address, and what the site gives the runner for this deployment."""
        said = self.shell(_PLACEMENT.format(name=name))
        _, address, text = next(line for line in said.splitlines() if line.startswith("PLACED ")).split(" ", 2)
        return address, msgspec.json.decode(text, type=Placement)

    def shell(self, code: str) -> str:
        return self.stack.manage("shell", "--command", code).stdout

    def stop(self) -> None:
        try:
            self.stack.stop()
        finally:
            self._index.__exit__(None, None, None)
            self._folder.cleanup()
