"""The probe server, started by a real runtime and asked over its real pipes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hosting.runner.placement import Limits
from hosting.runner.runtimes.base import LaunchSpec, Process, Runtime, Usage
from hosting.runner.runtimes.bubblewrap import Bubblewrap
from hosting.runner.runtimes.insecure import Insecure
from hosting.runner.runtimes.watch import FRESH_SECONDS

SERVERS = Path(__file__).parents[2] / "servers"
PYTHON = os.path.realpath(sys.executable)
READ_ONLY = (str(SERVERS), sys.base_prefix)
PROBE = (PYTHON, "-I", "-S", str(SERVERS / "probe.py"))

RUNTIMES: dict[str, Callable[[], Runtime]] = {
    "bubblewrap": Bubblewrap,
    "bubblewrap-watched": lambda: Bubblewrap(use_cgroups=False),
    "insecure": Insecure,
}


class Probe:
    """A started probe. `ask` gives the value, or the name of the error."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._loop = asyncio.get_running_loop()

    async def ask(self, command: str, *arguments: Any) -> Any:
        self.tell(command, *arguments)
        answer = json.loads(await self.line(self.process.stdout))
        return answer.get("error", answer.get("ok"))

    def tell(self, command: str, *arguments: Any) -> None:
        os.write(self.process.stdin, json.dumps([command, *arguments]).encode() + b"\n")

    async def usage(self) -> Usage:
        """As of now: without control groups, an earlier look at the machine counts for a moment."""
        await asyncio.sleep(2 * FRESH_SECONDS)
        return self.process.usage()

    async def line(self, fd: int) -> str:
        text = b""
        while not text.endswith(b"\n"):
            readable = asyncio.Event()
            self._loop.add_reader(fd, readable.set)
            try:
                async with asyncio.timeout(60):
                    await readable.wait()
            finally:
                self._loop.remove_reader(fd)
            more = os.read(fd, 65536)
            if not more:
                raise EOFError((await self.process.wait()).reason)
            text += more
        return text.decode()


Launch = Callable[..., Awaitable[Probe]]


@pytest.fixture
def kind() -> str:
    """Which runtime; a test module or class parametrizes it."""
    return "bubblewrap"


@pytest.fixture
async def runtime(kind: str) -> AsyncIterator[Runtime]:
    made = RUNTIMES[kind]()
    yield made
    made.close()


@pytest.fixture
async def launch(runtime: Runtime, request: pytest.FixtureRequest) -> AsyncIterator[Launch]:
    started: list[Process] = []

    async def start(*argv: str, limits: Limits | None = None, **fields: Any) -> Probe:
        spec = LaunchSpec(
            fields.pop("instance", f"i{len(started)}"), argv or PROBE, fields.pop("env", {}),
            fields.pop("read_only", READ_ONLY), limits or Limits(), **fields,
        )  # fmt: skip
        process = await runtime.start(spec)
        started.append(process)
        return Probe(process)

    yield start
    for process in started:
        await process.stop(0)
        process.close()
