"""How instances get their child: in turn, so that one owner's many starts don't hold up another's one."""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from hosting.runner.folders import Folders
from hosting.runner.placement import Placement
from hosting.runner.remote.connection import RemoteConnection
from hosting.runner.remote.door import Door
from hosting.runner.runtimes.base import LaunchFailed, LaunchSpec, Process, Runtime
from hosting.runner.seen import SignInAsked
from hosting.runner.upstream.messages import Message

# A start is mostly the server's own work: more at once than processors only makes each of them slower.
AT_ONCE = max(4, 2 * (os.cpu_count() or 1))
TURN_SECONDS = 5.0  # after which a server that says nothing does not keep others from starting any longer


class _Held:
    """A turn that is given back once."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back

    def release(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()


class Turns:
    """At most `at_once` starts at a time. Owners who wait take turns, each with the oldest of their starts."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._is_closed = False

    @asynccontextmanager
    async def turn(self, owner: str, waits: Callable[[int], None]) -> AsyncIterator[None]:
        """Holds one turn, for a limited time. `waits` is told how many of this owner's starts are ahead, if it must."""
        if self._is_closed or self._free <= 0:
            await self._wait(owner, waits)
        else:
            self._free -= 1
        held = _Held(self._give_back)
        late = asyncio.get_running_loop().call_later(TURN_SECONDS, held.release)
        try:
            yield
        finally:
            late.cancel()
            held.release()

    async def _wait(self, owner: str, waits: Callable[[int], None]) -> None:
        line = self._waiting.setdefault(owner, deque())
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waits(len(line))
        line.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            self._left(owner, mine)
            raise

    def _give_back(self) -> None:
        self._free += 1
        self._next()

    def close(self) -> None:
        """Nobody gets a turn from now on; those who have one keep it."""
        self._is_closed = True

    def open(self) -> None:
        self._is_closed = False
        self._next()

    def _left(self, owner: str, mine: asyncio.Future[None]) -> None:
        line = self._waiting.get(owner)
        if line is not None and mine in line:
            line.remove(mine)
            if not line:
                del self._waiting[owner]
        elif mine.done() and not mine.cancelled():  # it was given a turn that it can't use any more
            self._give_back()

    def _next(self) -> None:
        while self._free > 0 and self._waiting and not self._is_closed:
            owner, line = next(iter(self._waiting.items()))
            mine = line.popleft()
            if line:
                self._waiting.move_to_end(owner)
            else:
                del self._waiting[owner]
            if not mine.done():
                self._free -= 1
                mine.set_result(None)


class Starter:
    """Starts children in the runner's runtime."""

    def __init__(self, runtime: Runtime, door: Door, folders: Folders, turns: Turns | None = None) -> None:
        self._runtime = runtime
        self._door = door
        self.folders = folders
        self._turns = turns or Turns()
        self._launching = 0
        self._open = asyncio.Event()
        self._open.set()
        self._quiet = asyncio.Event()
        self._quiet.set()

    def turn(self, placement: Placement, waits: Callable[[int], None]) -> AbstractAsyncContextManager[None]:
        return self._turns.turn(placement.owner or placement.label.partition("/")[0], waits)

    async def launch(self, placement: Placement, instance: str, subject: str = "") -> Process:
        """`subject` names the data folder that is to be its home. Raises LaunchFailed."""
        home = None
        if subject:
            home = self.folders.open(placement.deployment, subject, placement.limits.data_bytes)
        spec = LaunchSpec(
            instance=instance,
            argv=placement.argv,
            env=placement.env,
            read_only=placement.read_only,
            limits=placement.limits,
            home=home,
            deployment=placement.deployment,
            egress=placement.egress,
            files=placement.files,
        )
        await self._open.wait()
        self._launching += 1
        self._quiet.clear()
        try:
            async with asyncio.timeout(placement.start_seconds):
                return await self._runtime.start(spec)
        except TimeoutError:
            raise LaunchFailed(f"its sandbox was not ready within {placement.start_seconds:g} s") from None
        finally:
            self._launching -= 1
            if not self._launching:
                self._quiet.set()

    def connect(
        self,
        placement: Placement,
        *,
        take: Callable[[Message, int], None],
        note: Callable[[str], None],
        asked: Callable[[SignInAsked], None],
    ) -> RemoteConnection:
        """In the place of a child, the server elsewhere that `placement.remote` names."""
        assert placement.remote is not None
        return RemoteConnection(
            placement.remote,
            placement.limits,
            self._door,
            seconds=placement.start_seconds,
            take=take,
            note=note,
            asked=asked,
        )

    async def pause(self) -> None:
        """Begin no start any more; returns when no process is half-started."""
        self._turns.close()
        self._open.clear()
        await self._quiet.wait()

    def resume(self) -> None:
        self._turns.open()
        self._open.set()
