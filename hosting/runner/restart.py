"""Restart in place: the runner executes itself anew, and its instances, sessions and calls live on.

The process id stays, so its children stay its children; pipes and sockets are inherited; the rest is a state that is
written down (`handover`). Nothing is in flight at that moment: no process is half-started, web processes have been
asked to hold what they would send and have what they were sent, and what children print waits in their pipes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from hosting.runner import handover
from hosting.runner.egress.keeper import HandedOver, Keeper
from hosting.runner.handover import State, StateError
from hosting.runner.runner import Runner
from hosting.runner.runtimes.base import Runtime
from hosting.runner.runtimes.descriptors import memory_file, spawn
from hosting.runner.server import StreamServer
from hosting.runner.starter import Starter
from hosting.runner.transport import Identity, listen_on

log = logging.getLogger(__name__)

REHEARSAL_SECONDS = 20.0
# Not to be missed while there is nobody to handle them: they wait until the new code has its handlers.
SIGNALS = frozenset({signal.SIGHUP, signal.SIGTERM, signal.SIGINT})


class Restart:
    """One runner process and what it needs to become its own successor."""

    def __init__(
        self,
        runner: Runner,
        server: StreamServer,
        starter: Starter,
        runtime: Runtime,
        keeper: Keeper | None,
        listeners: list[asyncio.Server],
        identity: Identity | None,
    ) -> None:
        self._runner = runner
        self._server = server
        self._starter = starter
        self._runtime = runtime
        self._keeper = keeper
        self._listeners = listeners
        self._identity = identity
        self._options: Mapping[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    def begin(self, options: Mapping[str, str] = MappingProxyType({})) -> None:
        """Once at a time: who asks while it goes on gets that one. `options` replace those of the command line."""
        if self._task is None or self._task.done():
            self._runner.restart_problem, self._options = "", options
            self._task = asyncio.create_task(self._run(), name="restart")

    async def _run(self) -> None:
        try:
            await self._rehearse()
            await self._hand_over()
        except Exception as error:
            self._runner.restart_problem = str(error)
            log.exception("the restart in place came to nothing; the runner goes on", extra={"reason": str(error)})

    async def _rehearse(self) -> None:
        """Have the new code read the state, so that nothing is risked on code that doesn't start. Raises StateError."""
        snapshot = handover.keep(handover.write(self._state([], [])))
        words = memory_file("words", b"")
        try:
            code = await _exit_code(_spawn_rehearsal(snapshot, words))
            if code:
                os.lseek(words, 0, os.SEEK_SET)
                said = os.read(words, 4096).decode("utf-8", "replace").strip().splitlines()
                raise StateError(f"its new code can't go on from here: {said[-1] if said else f'exit code {code}'}")
        finally:
            os.close(snapshot)
            os.close(words)

    async def _hand_over(self) -> None:
        sockets = [os.dup(one.fileno()) for listener in self._listeners for one in listener.sockets]
        for listener in self._listeners:
            listener.close()  # who connects from now on waits in the backlog of the socket, which stays open
        try:
            await self._starter.pause()
            await self._server.pause()
            for instance in self._runner.instances():
                instance.pause()
            await self._server.leave()
            await asyncio.sleep(0)
            await self._runner.outbox.settled()
            self._execute(sockets)
        except BaseException:
            await self._go_on(sockets)
            raise

    def _execute(self, sockets: list[int]) -> None:
        """Not a single await from here on. Returns only by raising."""
        handed = self._runtime.hand_over()
        egress = self._keeper.hand_over() if self._keeper is not None else None
        control = [egress.control] if egress is not None else []
        inherited = [*sockets, *handed.descriptors, *control, *handover.spilled(self._runner)]
        try:
            state = handover.keep(handover.write(self._state(sockets, inherited, handed.state, egress)))
            self._become(state, inherited)
        finally:
            if self._keeper is not None and egress is not None:
                self._keeper.start(egress)

    def _become(self, state: int, inherited: list[int]) -> None:
        argv = _with_options(sys.orig_argv[1:], {**self._options, "--state": str(state)})
        log.info("runner restarts in place", extra={"runner": self._runner.name, "descriptors": len(inherited)})
        sys.stderr.flush()
        try:
            for fd in inherited:
                os.set_inheritable(fd, True)
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            os.execv(sys.executable, [sys.executable, *argv])
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            os.close(state)
            close_on_exec(inherited)

    def _state(
        self, listeners: list[int], inherited: list[int], runtime: object = None, egress: HandedOver | None = None
    ) -> State:
        return State(self._runner, self._server.away, runtime, listeners, inherited, egress)

    async def _go_on(self, sockets: list[int]) -> None:
        self._listeners[:] = [await listen_on(fd, self._server.connection, self._identity) for fd in sockets]
        for instance in self._runner.instances():
            instance.resume()
        self._server.expect()
        self._starter.resume()


def close_on_exec(descriptors: Sequence[int]) -> None:
    for fd in descriptors:
        with contextlib.suppress(OSError):
            os.set_inheritable(fd, False)


def _with_options(argv: list[str], options: Mapping[str, str]) -> list[str]:
    for name, value in options.items():
        place = argv.index(name) if name in argv else len(argv)
        argv = [*argv[:place], *argv[place + 2 :], name, value]
    return argv


def _spawn_rehearsal(snapshot: int, words: int) -> int:
    with open(os.devnull, "r+b") as nothing:
        fds = {0: nothing.fileno(), 1: nothing.fileno(), 2: words, 3: snapshot}
        return spawn([sys.executable, "-m", "hosting.runner", "--rehearse", "3"], os.environ, fds)


async def _exit_code(pid: int) -> int:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    fd = os.pidfd_open(pid)
    loop.add_reader(fd, ended.set)
    try:
        async with asyncio.timeout(REHEARSAL_SECONDS):
            await ended.wait()
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        await ended.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)
    _, status = os.waitpid(pid, os.WNOHANG)  # noqa: ASYNC222 - it has ended
    return os.waitstatus_to_exitcode(status)
