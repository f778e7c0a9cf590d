"""Starts parts, waits until they are ready, restarts what dies with back-off, and stops everything in time.

Each part leads a session of its own, so that it can be ended with all that it started; its output comes through a pipe.
Two nets lie below that: on Linux a part dies when the supervisor does (PR_SET_PDEATHSIG), and orphans of dead parts
become our children, which `stop` sweeps up at its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from config.launch.output import PartOutput
from config.launch.parts import Part
from config.launch.processes import adopt_orphans, descendants, dies_with_parent, exit_words, reap_orphans
from config.launch.ready import VARIABLE as READY_VARIABLE

FIRST_DELAY_SECONDS = 0.5
MOST_DELAY_SECONDS = 30.0
CALM_SECONDS = 60.0  # a part that lived this long starts again with the first delay
APPLICATION_STOP_SECONDS = 5.5  # for web, worker, beat, runner together;
SERVICE_STOP_SECONDS = 3.5  # then for PostgreSQL and Valkey: 9 of the 10 seconds that stopping may take


class PartFailedError(Exception):
    """A part can't start. The message is for the terminal: what happened and the last lines it wrote."""

    def __init__(self, part: Part, reason: str, tail: list[str], log: Path) -> None:
        lines = "".join(f"\n    {line}" for line in tail) or "\n    (it wrote nothing)"
        super().__init__(f"{part.name} {reason}. Its last lines, more in {log}:{lines}")


@dataclass
class _Keeper:
    """One part and what is known of its present process."""

    part: Part
    output: PartOutput
    process: asyncio.subprocess.Process | None = None
    task: asyncio.Task[None] | None = None
    pumps: set[asyncio.Task[None]] = field(default_factory=set)


class Supervisor:
    def __init__(self, logs: Path, say: Callable[[str], None]) -> None:
        self._logs, self._say = logs, say
        self._keepers: dict[str, _Keeper] = {}
        self._stopping = False
        self._sweeper: asyncio.Task[None] | None = None
        adopt_orphans()

    async def start(self, *parts: Part) -> None:
        """Start these at once and return when all are ready. Raises PartFailedError for the first that is not."""
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._reap())
        starts = [asyncio.create_task(self._first_start(part)) for part in parts]
        try:
            for done in asyncio.as_completed(starts):
                await done
        finally:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)

    async def stop(self, *names: str, seconds: float) -> None:
        """Stop the parts of these names together; what still runs after `seconds` is killed with all it started."""
        self._stopping = True
        await asyncio.gather(*(self._stop(self._keepers[name], seconds) for name in names if name in self._keepers))

    async def stop_all(self) -> None:
        self._stopping = True
        services = [name for name in ("valkey", "postgres") if name in self._keepers]
        await self.stop(*(name for name in self._keepers if name not in services), seconds=APPLICATION_STOP_SECONDS)
        await self.stop(*services, seconds=SERVICE_STOP_SECONDS)
        if self._sweeper is not None:
            self._sweeper.cancel()
        end = time.monotonic() + 1
        while (left := descendants(os.getpid())) and time.monotonic() < end:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.02)
            reap_orphans(set())

    def signal(self, name: str, number: signal.Signals) -> bool:
        """Whether a part of this name runs, which gets it."""
        keeper = self._keepers.get(name)
        if keeper is None or keeper.process is None or keeper.process.returncode is not None or self._stopping:
            return False
        keeper.process.send_signal(number)
        return True

    # -- one part

    async def _first_start(self, part: Part) -> None:
        keeper = _Keeper(part, PartOutput(part.name, self._logs, self._say, part.tells))
        self._keepers[part.name] = keeper
        await self._spawn_until_ready(keeper)
        keeper.task = asyncio.create_task(self._keep(keeper))

    async def _keep(self, keeper: _Keeper) -> None:
        """Restart the part whenever it dies, until we stop."""
        delay, name = FIRST_DELAY_SECONDS, keeper.part.name
        while True:
            since = time.monotonic()
            reason = "could not be started"
            if keeper.process is not None:
                reason = exit_words(await keeper.process.wait())
            await self._end_group(keeper)
            if self._stopping:
                return
            if time.monotonic() - since > CALM_SECONDS:
                delay = FIRST_DELAY_SECONDS
            self._say(f"{name} {reason}; starting it again in {delay:g} s. Its log: {self._logs / (name + '.log')}")
            await asyncio.sleep(delay)
            delay = min(delay * 2, MOST_DELAY_SECONDS)
            try:
                await self._spawn_until_ready(keeper)
                self._say(f"{name} is ready again")
            except PartFailedError as error:
                self._say(str(error))

    async def _spawn_until_ready(self, keeper: _Keeper) -> None:
        part = keeper.part
        read_end, write_end = os.pipe()
        try:
            keeper.process = await self._spawn(keeper, write_end)
        except OSError as error:
            os.close(read_end)
            raise self._failed(keeper, f"can't be started: {error.strerror}: {part.argv[0]}") from error
        finally:
            os.close(write_end)
        died = asyncio.create_task(keeper.process.wait())
        ready = asyncio.create_task(self._asked(part) if part.is_ready else _announced(read_end))
        try:
            await asyncio.wait({died, ready}, timeout=part.start_seconds, return_when=asyncio.FIRST_COMPLETED)
            if died.done():
                await self._drain(keeper)  # so that its last words are in the tail
                raise self._failed(keeper, exit_words(died.result()))
            if not ready.done():
                self._kill_group(keeper)
                raise self._failed(keeper, f"was not ready after {part.start_seconds:g} s")
        finally:
            died.cancel()
            ready.cancel()
            await asyncio.gather(died, ready, return_exceptions=True)
            os.close(read_end)

    async def _spawn(self, keeper: _Keeper, ready_end: int) -> asyncio.subprocess.Process:
        part = keeper.part
        environment = {**os.environ, "SLIPWAY_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1", **part.environment}
        handed_down = part.descriptors
        if part.is_ready is None:
            environment[READY_VARIABLE] = str(ready_end)
            handed_down += (ready_end,)
        # A pipe of our own: asyncio's would hold back the exit for as long as a grandchild has the other end.
        output_end, input_end = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *part.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=input_end,
                stderr=input_end,
                env=environment,
                cwd=part.folder,
                pass_fds=handed_down,
                start_new_session=True,
                preexec_fn=dies_with_parent(part.death),
            )
        except BaseException:
            os.close(output_end)
            raise
        finally:
            os.close(input_end)
        pump = asyncio.create_task(_pump(output_end, keeper.output))
        keeper.pumps.add(pump)
        pump.add_done_callback(keeper.pumps.discard)
        return process

    async def _asked(self, part: Part) -> None:
        assert part.is_ready is not None
        while not await asyncio.to_thread(part.is_ready):  # noqa: ASYNC110 - another process tells us of no event
            await asyncio.sleep(0.03)

    def _failed(self, keeper: _Keeper, reason: str) -> PartFailedError:
        return PartFailedError(keeper.part, reason, list(keeper.output.tail), self._logs / f"{keeper.part.name}.log")

    # -- the end of one part

    async def _stop(self, keeper: _Keeper, seconds: float) -> None:
        process = keeper.process
        if process is not None and process.returncode is None:
            exit_seen = asyncio.create_task(process.wait())
            began = time.monotonic()
            for after, number in (*keeper.part.stop, (seconds, signal.SIGKILL)):
                await asyncio.wait({exit_seen}, timeout=max(0.0, began + after - time.monotonic()))
                if exit_seen.done():
                    break
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(number)
            await exit_seen
        if keeper.task is not None:
            keeper.task.cancel()
            await asyncio.gather(keeper.task, return_exceptions=True)
        await self._end_group(keeper)
        keeper.output.close()

    async def _end_group(self, keeper: _Keeper) -> None:
        """What a dead part left running goes too; then its output ends."""
        self._kill_group(keeper)
        await self._drain(keeper)

    async def _drain(self, keeper: _Keeper) -> None:
        """Read what is left of the output; give up on a writer that has escaped from the group."""
        pumps = set(keeper.pumps)
        if pumps:
            _, waiting = await asyncio.wait(pumps, timeout=0.5)
            for pump in waiting:
                pump.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _kill_group(self, keeper: _Keeper) -> None:
        if keeper.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(keeper.process.pid, signal.SIGKILL)

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(2)
            reap_orphans({keeper.process.pid for keeper in self._keepers.values() if keeper.process is not None})


async def _pump(descriptor: int, output: PartOutput) -> None:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    try:
        while data := await reader.read(65536):
            output.feed(data)
    finally:
        transport.close()


async def _announced(descriptor: int) -> None:
    """Returns when the part has written its byte; an end without one means that it died, which others notice."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[None] = loop.create_future()

    def readable() -> None:
        loop.remove_reader(descriptor)
        if os.read(descriptor, 1) and not arrived.done():
            arrived.set_result(None)

    loop.add_reader(descriptor, readable)
    try:
        await arrived
    finally:
        loop.remove_reader(descriptor)
