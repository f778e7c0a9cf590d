"""One workshop for all stories, hosted twice: as it is, and with calls handed off after a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.stack import Stack
from tests.tasks.conftest import Hosted
from tests.tasks.stories.clients import Legacy, Modern, Plain

KINDS = [Legacy, Modern, Plain]
# Everything in one go, since each command is a process of its own. `passing` tokens are there to be revoked.
PREPARE = """
from accounts.models import User
from events.actors import OPERATOR
from hosting.models import Deployment
from hosting.routing import resource_url
from oauth.api_tokens import api_token_issue
from oauth.services import endpoint_token_issue
alice, bob = (User.objects.get(username=name) for name in ("alice", "bob"))
Deployment.objects.filter(name="brief").update(hand_off_seconds=1)
for deployment in Deployment.objects.filter(name__in=["workshop", "brief"]):
    resource = resource_url(deployment.owner.folded, deployment.folded_name)
    for user, note in ((alice, "own"), (bob, "foreign"), (alice, "passing1"), (alice, "passing2")):
        row, token = endpoint_token_issue(actor=OPERATOR, user=user, deployment_id=deployment.pk, resource=resource,
                                          scopes=["mcp:read", "mcp:call"], ttl_seconds=3600)
        print("TOKEN", deployment.name + "-" + note, token, row.pk)
print("TOKEN", "api", api_token_issue(actor=OPERATOR, user=alice, scopes=["tasks:read", "tasks:write"],
                                      ttl_seconds=3600)[1], "-")
"""


@dataclass(frozen=True)
class Token:
    value: str
    id: str


@dataclass(frozen=True)
class Workshop:
    """`tokens` by deployment and use, as `PREPARE` names them; `api` is a token for /api."""

    site: Stack
    tokens: dict[str, Token]

    @property
    def api(self) -> str:
        return self.tokens["api"].value

    def door(self, kind: type[Legacy], use: str = "own") -> tuple[str, str]:
        """URL and token for a client of that kind."""
        name = "brief" if kind is Plain else "workshop"
        return f"{self.site.url}/mcp/alice/{name}", self.tokens[f"{name}-{use}"].value


@pytest.fixture(scope="package")
def workshop(hosted: Hosted) -> Workshop:
    for name in ("workshop", "brief"):
        words = ("pypi:slipway-test-workshop", "--owner", "alice", "--name", name, "--access", "public")
        hosted.site.manage("host", *words)
    said = hosted.site.manage("shell", "-c", PREPARE).stdout
    found = [line.split()[1:] for line in said.splitlines() if line.startswith("TOKEN ")]
    return Workshop(hosted.site, {name: Token(value, row) for name, value, row in found})


async def until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    """Until something outside of any event's reach is so: processes, files."""
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
