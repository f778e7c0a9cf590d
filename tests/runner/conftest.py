"""A real runner process per test, driven over its real stream."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hosting.runner import frames as f
from hosting.runner.control import GetStatus
from hosting.runner.placement import Placement
from hosting.stream.stream import Attachment, DetachedError, RunnerLink, RunnerPool, RunnerUnavailableError
from tests.bound import bound

ROOT = Path(__file__).parents[2]
SERVERS = Path(__file__).parent.parent / "servers"
LEGACY, MODERN = "2025-11-25", "2026-07-28"


def placement(server: str = "legacy", **changes: Any) -> Placement:
    """A placement of one of the test servers, run by this interpreter."""
    values: dict[str, Any] = {
        "deployment": "d1",
        "label": "alice/test",
        "version": "v1",
        "epoch": 1,
        "argv": [sys.executable, "-I", str(SERVERS / f"{server}.py")],
        "read_only": [str(SERVERS), sys.base_prefix, sys.prefix],
    }
    return Placement(**{**values, **changes})


@dataclass
class Call:
    """One exchange as a client of the stream saw it."""

    attachment: Attachment
    events: list[f.Event] = field(default_factory=list)
    detached: DetachedError | None = None

    async def until(self, *kinds: f.Kind) -> f.Event:
        """Read on until an event of one of these kinds; start-up status is passed over."""
        while True:
            event = await self.attachment.next()
            if event.kind is not f.Kind.STATUS:
                self.events.append(event)
            if event.kind in kinds:
                return event

    async def outcome(self) -> f.Event:
        return await self.until(*f.TERMINAL)

    async def text(self) -> str:
        """The first text block of a successful call."""
        event = await self.outcome()
        assert event.kind is f.Kind.RESULT, event.data
        return str(msgspec.json.decode(event.data)["content"][0]["text"])


@dataclass
class Driver:
    """What a web process does, without HTTP."""

    address: str
    process: asyncio.subprocess.Process
    pool: RunnerPool
    link: RunnerLink

    def open(self, method: str = "tools/call", tool: str = "", arguments: Any = None, **fields: Any) -> Call:
        params = {"name": tool, "arguments": arguments or {}} if tool else {}
        values: dict[str, Any] = {
            "deployment": "d1",
            "epoch": 1,
            "owner": "alice",
            "method": method,
            "params": msgspec.json.encode(params),
            "revision": MODERN,
            "end": f.EndRule.CANCEL,
            "isolation": fields.get("owner", "alice"),
        }
        if "session" in fields:
            values.update(revision=LEGACY, end=f.EndRule.SESSION)
        return Call(self.link.open(**{**values, **fields}))

    async def session(self, name: str = "s1", **fields: Any) -> bytes:
        """Initialize a legacy session; returns the raw InitializeResult."""
        call = self.open("initialize", session=name, **fields)
        event = await call.outcome()
        assert event.kind is f.Kind.RESULT, event.data
        return event.data

    async def in_flight(self) -> int:
        """How many calls its instances have. What was opened before over this link is among them."""
        status = await self.link.ask(GetStatus())
        return sum(one.in_flight for placed in status.placements for one in placed.instances)

    async def reconnect(self) -> None:
        """As another web process would: the old connection breaks, a new one comes."""
        self.link.close()
        self.link = await self.pool.link(self.address)


SECONDS = 60.0  # for what takes an instant, on a machine that many others use


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what another process knows can only be asked
            await asyncio.sleep(0.02)


@pytest.fixture
async def start_runner(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    drivers: list[Driver] = []
    processes: list[asyncio.subprocess.Process] = []

    async def start(
        sandbox: str = "bubblewrap", name: str = "r1", more: tuple[str, ...] = (), folder: Path = ROOT
    ) -> Driver:
        address = f"unix:{tmp_path}/{name}.sock"
        words = ["-m", "hosting.runner", "--name", name, "--listen", address]
        words += ["--home", str(tmp_path / name), "--sandbox", sandbox, *more]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *(bound(*words) if folder == ROOT else words), cwd=folder
        )
        processes.append(process)
        pool = RunnerPool("test")
        async with asyncio.timeout(SECONDS):
            while True:
                try:
                    link = await pool.link(address)
                    break
                except RunnerUnavailableError:
                    if process.returncode is not None:
                        raise
                    await asyncio.sleep(0.05)
        driver = Driver(address, process, pool, link)
        drivers.append(driver)
        return driver

    yield start
    for driver in drivers:
        await driver.pool.close()
    for process in processes:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)  # now: what a test left open keeps it from ending otherwise
        await process.wait()


@pytest.fixture
async def driver(start_runner: Callable[..., Any]) -> Driver:
    started: Driver = await start_runner()
    return started
