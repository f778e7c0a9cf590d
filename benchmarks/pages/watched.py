"""One event told to all who watch a deployment's page: how late it is, and what it and watching itself cost.

python -m benchmarks.pages.watched [--watchers 1 50 200] [--events 20]: a whole site of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.endpoint.processes import cpu_seconds
from benchmarks.hosting.weight import pid_of
from tests.stack import Stack

IDLE_SECONDS = 6.0
APART_SECONDS = 0.4

_PREPARE = """
from django.conf import settings
from django.test import Client
from tests.factories import make_deployment, make_user
deployment = make_deployment(make_user("alice"), access="public")
client = Client()
client.force_login(make_user("bob"))
print("MADE", deployment.pk, settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
"""
_TELL = """
import time
from events.publish import publish
from events.types import BuildProgress
for number in range({count}):
    publish(BuildProgress({deployment!r}, repr(time.time())))
    time.sleep({apart})
"""


@dataclass(frozen=True)
class Told:
    """Milliseconds from an event to its arrival: at the middle watcher and the last; and of the web process's time."""

    middle: float
    last: float
    cpu_an_event: float
    cpu_a_second: float  # while nothing happens


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--watchers", type=int, nargs="+", default=[1, 50, 200])
    asked.add_argument("--events", type=int, default=20)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="slipway-benchmark-") as folder:
        site = Stack(Path(folder), WEB_PROCESSES="1")
        try:
            site.start()
            said = site.manage("shell", "--command", _PREPARE).stdout
            deployment, cookie, value = next(
                line.split(" ")[1:] for line in said.splitlines() if line.startswith("MADE ")
            )
            print("| watchers | p50 ms | last ms | web ms an event | web ms a second, idle |\n|---|---|---|---|---|")
            for count in given.watchers:
                one = asyncio.run(_told(site, deployment, f"{cookie}={value}", count, given.events))
                cells = f"{one.middle:.1f} | {one.last:.1f} | {one.cpu_an_event:.1f} | {one.cpu_a_second:.1f}"
                print(f"| {count} | {cells} |", flush=True)
        finally:
            site.stop()


async def _told(site: Stack, deployment: str, cookie: str, watchers: int, events: int) -> Told:
    address = f"ws://{urlsplit(site.url).netloc}/ws/deployments/{deployment}/"
    web = pid_of(site, "web")
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(connect(address, additional_headers={"Cookie": cookie}, origin=site.url))  # type: ignore[arg-type]
            for _ in range(watchers)
        ]
        before = cpu_seconds(web)
        await asyncio.sleep(IDLE_SECONDS)
        idle = (cpu_seconds(web) - before) / IDLE_SECONDS
        listening = [asyncio.create_task(_late(socket, events)) for socket in sockets]
        before, began = cpu_seconds(web), time.monotonic()
        code = _TELL.format(count=events, deployment=deployment, apart=APART_SECONDS)
        telling = asyncio.create_task(asyncio.to_thread(site.manage, "shell", "--command", code))
        late = await asyncio.gather(*listening)
        spent = cpu_seconds(web) - before - idle * (time.monotonic() - began)
        await telling
    columns = list(zip(*late, strict=True))  # of each event, how late each watcher heard of it
    return Told(
        statistics.median(statistics.median(column) for column in columns) * 1e3,
        statistics.median(max(column) for column in columns) * 1e3,
        spent / events * 1e3,
        idle * 1e3,
    )


async def _late(socket: ClientConnection, events: int) -> list[float]:
    """Seconds, of each event; both clocks are this machine's."""
    found: list[float] = []
    while len(found) < events:
        message = json.loads(await socket.recv())
        if message["type"] == "build":
            found.append(time.time() - float(message["text"]))
    return found


if __name__ == "__main__":
    main()
