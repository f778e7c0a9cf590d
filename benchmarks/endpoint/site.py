"""Slipway as the benchmark hosts it: the real `manage.py up` with sign-in and sandbox, and both echo servers in it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.endpoint.calls import Target
from tests.packages.local_index import LocalIndex
from tests.stack import Stack

OWNER = "bench"
_CODE = (Path(__file__).parent / "echo_server.py").read_text()

# Streams are limited per principal, and each legacy session has an instance of its own: neither is measured by them.
_OPEN_DOORS = """
from accounts.models import User
from accounts.services import user_create
from events.actors import OPERATOR
from hosting.models import Deployment
from hosting.routing import resource_url
from hosting.services import deployment_restart
from oauth.services import endpoint_token_issue
deployment = Deployment.objects.get(name="legacy")
Deployment.objects.filter(pk=deployment.pk).update(isolation="shared", access="public")
deployment_restart(actor=OPERATOR, deployment=deployment)
resource = resource_url(deployment.owner.folded, deployment.folded_name)
for number in range({count}):
    user = user_create(actor=OPERATOR, name=f"listener{{number}}")
    print("TOKEN", endpoint_token_issue(actor=OPERATOR, user=user, deployment_id=deployment.pk, resource=resource,
                                        scopes=["mcp:read", "mcp:call"], ttl_seconds=3600)[1])
"""


class Site:
    """Up once made. `targets` are the hosted servers by era, with a token each."""

    def __init__(self, web_processes: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="slipway-benchmark-")
        self._index = LocalIndex()
        self._index.__enter__()
        for era in ("legacy", "modern"):
            module = f"slipway_benchmark_{era}"
            self._index.add_wheel(
                f"slipway-benchmark-{era}",
                "1.0",
                {f"{module}.py": _CODE},
                scripts={f"slipway-benchmark-{era}": f"{module}:{era}"},
            )
        self.stack = Stack(
            Path(self._folder.name), UV_INDEX=f"{self._index.url}/simple", WEB_PROCESSES=str(web_processes)
        )
        self.stack.start()
        self.targets = {era: self._host(era) for era in ("legacy", "modern")}

    def _host(self, era: str) -> Target:
        package = f"pypi:slipway-benchmark-{era}"
        url = self.stack.manage("host", package, "--owner", OWNER, "--name", era).stdout.strip()
        return Target(url, era, self._token(era))

    def _token(self, name: str) -> str:
        words = ("issue_token", "--user", OWNER, "--deployment", f"{OWNER}/{name}", "--ttl", "36000")
        return self.stack.manage(*words).stdout.strip()

    def open_doors(self, count: int) -> list[str]:
        """Tokens of so many users for the legacy server, whose sessions share one instance from now on."""
        said = self.stack.manage("shell", "--command", _OPEN_DOORS.format(count=count)).stdout
        return [line.removeprefix("TOKEN ") for line in said.splitlines() if line.startswith("TOKEN ")]

    @property
    def pid(self) -> int:
        return self.stack.pid

    def revive(self) -> str:
        """Its supervisor does that."""
        return ""

    def stop(self) -> None:
        try:
            self.stack.stop()
        finally:
            self._index.__exit__(None, None, None)
            self._folder.cleanup()
