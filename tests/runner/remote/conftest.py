"""A runner that may reach this machine's own addresses, as an operator may allow it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from hosting.runner import control as c
from hosting.runner.placement import Placement, Remote
from tests.runner.conftest import Driver
from tests.runner.remote.servers import PORTS, FakeRemote, fake_remote

REACHABLE = ",".join(map(str, PORTS))
LOOPBACK = ("--networks", "127.0.0.0/8", "--ports", REACHABLE)


def remote_placement(url: str, **changes: Any) -> Placement:
    values: dict[str, Any] = {
        "deployment": "d1",
        "label": "alice/test",
        "version": "v1",
        "epoch": 1,
        "argv": [],
        "remote": Remote(url, **changes.pop("remote", {})),
    }
    return Placement(**{**values, **changes})


async def place(driver: Driver, url: str, **changes: Any) -> None:
    await driver.link.ask(c.Place(remote_placement(url, **changes)))


@pytest.fixture
async def driver(start_runner: Callable[..., Any]) -> Driver:
    started: Driver = await start_runner(more=LOOPBACK)
    return started


@pytest.fixture
async def fake() -> AsyncIterator[FakeRemote]:
    async with fake_remote() as remote:
        yield remote
