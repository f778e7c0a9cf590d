"""Slipway as these benchmarks host with it: the real `manage.py up` and one modern server, twice: shared and not."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.endpoint.calls import Target
from tests.packages.local_index import LocalIndex
from tests.stack import Stack

OWNER = "bench"
PACKAGE = "slipway-benchmark-waits"
UP_SECONDS = 300.0
MANY = 40_000

_PREPARE = """
from django.db import connection
from accounts.models import User
from events.actors import OPERATOR
from hosting.models import Deployment
from hosting.fleet.placing import placement_renew
from hosting.routing import resource_url
from oauth.services import endpoint_token_issue
user = User.objects.get(username={owner!r})
for deployment in Deployment.objects.all():
    deployment.isolation = "shared" if deployment.name == "shared" else deployment.isolation
    deployment.limits = {{"in_flight": {many}, "waiting": {many}, "memory_bytes": 2147483648}}
    deployment.save()
    placement_renew(deployment)
    resource = resource_url(deployment.owner.folded, deployment.folded_name)
    token = endpoint_token_issue(actor=OPERATOR, user=user, deployment_id=deployment.pk, resource=resource,
                                 scopes=["mcp:read", "mcp:call"], ttl_seconds=36000)[1]
    print("TARGET", deployment.name, resource, token)
found = connection.get_connection_params()
wanted = [name for name in ("dbname", "user", "host", "port") if found.get(name)]
print("DATABASE", " ".join(f"{{name}}={{found[name]}}" for name in wanted))
"""
_SWEEP = """
import time
from hosting.tasks import running
running.sweep()
for _ in range({count}):
    began = time.monotonic()
    running.sweep()
    print("SWEEP", time.monotonic() - began)
"""


class Site:
    """Up once made. `shared` mixes principals, `own` has an instance for each."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="slipway-benchmark-")
        self._index = LocalIndex()
        self._index.__enter__()
        module = PACKAGE.replace("-", "_")
        code = (Path(__file__).parent / "server.py").read_text()
        self._index.add_wheel(PACKAGE, "1.0", {f"{module}.py": code}, scripts={PACKAGE: f"{module}:main"})
        self.stack = Stack(Path(self._folder.name), UV_INDEX=f"{self._index.url}/simple", WEB_PROCESSES="1")
        self.stack.launch()
        try:
            self.stack.expect("Slipway is ready at ", UP_SECONDS)
            for name in ("shared", "own"):
                self.stack.manage("host", f"pypi:{PACKAGE}", "--owner", OWNER, "--name", name, seconds=900)
            said = self.shell(_PREPARE.format(owner=OWNER, many=MANY)).splitlines()
            rows = [line.split(" ") for line in said if line.startswith("TARGET ")]
            self.targets = {name: Target(url, "legacy", token) for _, name, url, token in rows}
            self._database = next(line.removeprefix("DATABASE ") for line in said if line.startswith("DATABASE "))
        except BaseException:
            self.stop()
            raise

    def shell(self, code: str) -> str:
        return self.stack.manage("shell", "--command", code, seconds=600).stdout

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._database) as connection:
            return connection.execute(query).fetchall()

    def sweeps(self, count: int) -> list[float]:
        """Seconds that the sweep takes, by itself."""
        said = self.shell(_SWEEP.format(count=count))
        return [float(line.split(" ")[1]) for line in said.splitlines() if line.startswith("SWEEP ")]

    def stop(self) -> None:
        try:
            self.stack.stop()
        finally:
            self._index.__exit__(None, None, None)
            self._folder.cleanup()
