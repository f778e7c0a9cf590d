"""The runner of a site as this process asks it: what is awake, and starts measured at its own stream."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import msgspec

from benchmarks.endpoint.calls import META, MODERN
from hosting.runner import control
from hosting.runner import frames as f
from hosting.runner.placement import Placement
from hosting.runner.seen import InstanceSeen
from hosting.stream.stream import Attachment, RunnerLink, RunnerPool

_PARAMS = msgspec.json.encode(
    {
        "_meta": {
            META + "protocolVersion": MODERN,
            META + "clientInfo": {"name": "benchmark", "version": "1"},
            META + "clientCapabilities": {},
        }
    }
)
SLEEP_SECONDS = 60.0


@dataclass(frozen=True)
class Start:
    """Seconds from a call's arrival to each step of the start that it caused, as the runner's stream told them."""

    preparing: float  # the runner begins with the sandbox
    sandboxed: float  # the command is started in it
    running: float  # it has told its era
    listed: float


class Seen:
    """One connection to a runner."""

    def __init__(self, pool: RunnerPool, link: RunnerLink) -> None:
        self._pool = pool
        self._link = link

    @classmethod
    async def at(cls, address: str) -> Seen:
        pool = RunnerPool("benchmark")
        return cls(pool, await pool.link(address))

    async def awake(self) -> int:
        status = await self._link.ask(control.GetStatus())
        return sum(len(placement.instances) for placement in status.placements)

    async def asleep(self, seconds: float = SLEEP_SECONDS) -> None:
        """Returns when no instance is there. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while await self.awake():  # noqa: ASYNC110 - the runner tells it when it is asked
                await asyncio.sleep(0.1)

    async def release(self) -> None:
        """Takes every placement from the runner, which ends their instances; the next call of each places it anew."""
        status = await self._link.ask(control.GetStatus())
        for placement in status.placements:
            await self._link.ask(control.Unplace(placement.deployment, placement.epoch, "benchmark"))
        await self.asleep()

    async def start(self, placement: Placement) -> Start:
        """What the web process does for a modern client's tools/list, on a deployment that is asleep."""
        feed = self._link.attach(f"feed:{placement.deployment}", owner="system", mode=f.Mode.OBSERVE)
        moved = asyncio.create_task(_states(feed))
        began = time.perf_counter()
        call = self._link.open(
            deployment=placement.deployment,
            epoch=placement.epoch,
            owner="benchmark",
            isolation="benchmark",
            method="tools/list",
            params=_PARAMS,
            revision=MODERN,
            end=f.EndRule.CANCEL,
        )
        while (event := await call.next()).kind not in f.TERMINAL:
            pass
        listed = time.perf_counter() - began
        if event.kind is not f.Kind.RESULT:
            raise RuntimeError(event.data.decode())
        times = await moved
        feed.close()
        call.close()
        preparing, sandboxed, running = (at - began for at in times)
        return Start(preparing, sandboxed, running, listed)

    async def close(self) -> None:
        await self._pool.close()


async def _states(feed: Attachment) -> tuple[float, float, float]:
    """When the newest instance of a feed came to each step. What the feed tells of older ones is passed over."""
    steps: dict[str, dict[str, float]] = {}
    wall = time.time() - 0.05
    while True:
        event = await feed.next()
        if event.kind is not f.Kind.INSTANCE:
            continue
        seen = msgspec.json.decode(event.data, type=InstanceSeen)
        if seen.started_at < wall:
            continue
        steps.setdefault(seen.id, {})[seen.reason] = time.perf_counter()
        if seen.state == "running":
            found = steps[seen.id]
            return (
                found["starting: preparing the sandbox"],
                found["starting: waiting for its first answer"],
                found["running"],
            )
