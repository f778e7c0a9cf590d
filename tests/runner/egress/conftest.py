"""A real sandbox with a real proxy process, whose name server is a file of the test, and peers on this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hosting.runner.egress.keeper import Keeper
from hosting.runner.egress.policy import Policy
from hosting.runner.placement import Egress, Limits
from hosting.runner.runtimes.base import LaunchSpec, Process
from hosting.runner.runtimes.bubblewrap import Bubblewrap
from hosting.runner.seen import EgressCount
from tests.runner.runtimes.conftest import PROBE, READ_ONLY, Probe

HERE = Path(__file__).parent


@dataclass
class Outside:
    """What instances meet on their way out."""

    keeper: Keeper
    runtime: Bubblewrap
    names_file: Path
    policies: dict[str, Policy] = field(default_factory=dict)  # by instance
    lines: list[str] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def name(self, host: str, *addresses: str) -> None:
        self.names[host] = list(addresses)
        self.names_file.write_text(json.dumps(self.names))

    def printed(self, deployment: str, instance: str, line: str) -> None:
        self.lines.append(line)
        self.changed.set()

    async def line(self, text: str) -> str:
        """The first line of output that has this text; the proxy reports once a second."""
        async with asyncio.timeout(60):
            while True:
                for line in self.lines:
                    if text in line:
                        return line
                self.changed.clear()
                await self.changed.wait()

    async def row(self, host: str, port: int) -> EgressCount:
        """What was counted for a host, all in all, as soon as there is anything."""
        async with asyncio.timeout(60):
            while (found := self.keeper.ledger.growing.get(f"d1 {host} {port}")) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return found


LetOut = Callable[..., Awaitable[Probe]]


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Outside]:
    names_file = tmp_path / "names.json"
    names_file.write_text("{}")
    runtime = Bubblewrap()
    policies: dict[str, Policy] = {}
    keeper = Keeper(lambda spec: policies[spec.instance], program=[str(HERE / "named_proxy.py"), str(names_file)])
    made = Outside(keeper, runtime, names_file, policies)
    keeper.printed = made.printed
    keeper.start()
    runtime.doorway = keeper
    yield made
    made.keeper.close()  # a successor, when one took over
    runtime.close()


@pytest.fixture
async def let_out(outside: Outside) -> AsyncIterator[LetOut]:
    """Starts a probe with a policy, which reaches this machine's 127.77.0.0/16 unless told otherwise."""
    started: list[Process] = []

    async def start(*argv: str, env: dict[str, str] | None = None, read_only: Any = READ_ONLY, **policy: Any) -> Probe:
        instance = f"i{len(started)}"
        wanted = Policy(**({"private": ["127.77.0.0/16"]} | policy))
        outside.policies[instance] = wanted
        spec = LaunchSpec(
            instance, argv or PROBE, env or {}, read_only, Limits(), deployment="d1", egress=Egress(wanted.mode)
        )
        process = await outside.runtime.start(spec)
        started.append(process)
        return Probe(process)

    yield start
    for process in started:
        await process.stop(0)
        process.close()
