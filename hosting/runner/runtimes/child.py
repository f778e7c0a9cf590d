"""One started instance: its exit, its end, what it uses, and which limit it ran into."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from hosting.runner.placement import Limits
from hosting.runner.runtimes import ceilings
from hosting.runner.runtimes.base import Exit, Usage
from hosting.runner.runtimes.cgroups import Group
from hosting.runner.runtimes.descriptors import close_all
from hosting.runner.runtimes.watch import ProcessTable, open_files

TERM_AFTER = 1 / 3  # of the grace, when closing its input was not enough


@dataclass
class Parts:
    """What a runtime has made for an instance. All of it plain values, for the day a runner hands itself over."""

    pid: int  # the server
    keeper: int  # our child: bubblewrap, or the server itself
    root: int  # when this one dies, the kernel ends everything inside; the server itself where there is no such one
    stdin: int
    stdout: int
    stderr: int
    limits: Limits
    group: Group | None = None
    disks: dict[str, int] = field(default_factory=dict)  # descriptors of its size-limited folders, by name
    instance: str = ""


@dataclass(frozen=True)
class Left:
    """A child over `execv`. `status` is None while its keeper has not been waited for."""

    parts: Parts
    pidfds: dict[int, int]
    events: list[str]
    cause: str
    status: int | None
    cpu_seconds: float

    @property
    def descriptors(self) -> list[int]:
        parts = self.parts
        own = [parts.stdin, parts.stdout, parts.stderr, *parts.disks.values(), *self.pidfds.values()]
        return [fd for fd in own if fd >= 0]


class Child:
    """A `Process`. `gone` is called once, after the last process inside has ended."""

    def __init__(
        self, parts: Parts, table: ProcessTable, gone: Callable[[Child], None], left: Left | None = None
    ) -> None:
        """`left` is what the same child was before `execv`. Raises OSError when a process is gone already."""
        self.pid = parts.pid
        self.stdin, self.stdout, self.stderr = parts.stdin, parts.stdout, parts.stderr
        self.parts = parts
        self._table = table
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._exit: Exit | None = None
        self._ended = asyncio.Event()
        self._events: list[str] = []
        self._cause = ""  # what ended it, where that is known
        self._status: int | None = None
        self._cpu_seconds = 0.0
        self._watched: list[int] = []
        self._pidfds: dict[int, int] = {}
        if left is not None:
            self._events, self._cause, self._pidfds = left.events, left.cause, left.pidfds
            self._status, self._cpu_seconds = left.status, left.cpu_seconds
            if self._status is None:
                self._follow(parts.keeper, self._keeper_ended)
            else:
                self._follow(parts.root, self._all_ended)
            return
        try:
            for pid in {parts.keeper, parts.root, parts.pid}:
                self._pidfds[pid] = os.pidfd_open(pid)
        except OSError:
            close_all(self._pidfds.values())
            raise
        self._follow(parts.keeper, self._keeper_ended)

    # --- Process

    def poll(self) -> Exit | None:
        return self._exit

    async def wait(self) -> Exit:
        await self._ended.wait()
        assert self._exit is not None
        return self._exit

    async def stop(self, grace_seconds: float) -> Exit:
        if self._exit is None:
            self._cause = self._cause or "stopped"
            self.close_stdin()
            if not await self._ends_within(grace_seconds * TERM_AFTER):
                self.signal(signal.SIGTERM)
                if not await self._ends_within(grace_seconds * (1 - TERM_AFTER)):
                    self.kill(f"did not stop within {grace_seconds:g} s and was ended by force")
        return await self.wait()

    def usage(self) -> Usage:
        if self._exit is not None:
            return Usage(0, 0, 0.0, list(self._events))
        self.observe()
        group = self.parts.group
        seen = None
        if group is None or group.memory is None or group.pids is None or group.cpu is None:
            seen = self._table.below(self.parts.root)
        return Usage(
            memory_bytes=self._memory(),
            processes=group.processes() if group is not None and group.pids is not None else self._processes(),
            cpu_seconds=seen.cpu_seconds if seen is not None else group.cpu_seconds() if group is not None else 0.0,
            limit_events=list(self._events),
        )

    def close(self) -> None:
        self.close_stdin()
        close_all([self.stdout, self.stderr])
        self.stdout = self.stderr = -1

    def __del__(self) -> None:
        if self._exit is not None:
            self.close()

    # --- for runtimes

    def left(self) -> Left:
        parts = replace(self.parts, stdin=self.stdin, stdout=self.stdout, stderr=self.stderr)
        return Left(parts, self._pidfds, self._events, self._cause, self._status, self._cpu_seconds)

    def close_stdin(self) -> None:
        if self.stdin >= 0:
            self._loop.remove_writer(self.stdin)
            close_all([self.stdin])
            self.stdin = -1

    def signal(self, number: int) -> None:
        self._send(self.pid, number)

    def kill(self, cause: str) -> None:
        """End everything inside now. `cause` is the reason that its Exit gives."""
        if self._exit is None:
            self._cause = cause
            self._send(self.parts.root, signal.SIGKILL)
            if self.parts.root == self.parts.keeper:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.parts.keeper, signal.SIGKILL)

    def observe(self) -> None:
        """Look for limits reached; end it where only this look enforces one."""
        limits, group = self.parts.limits, self.parts.group
        if group is not None and group.memory is not None:
            if group.memory_kills():
                self._note(ceilings.memory_words(limits))
        elif limits.memory_bytes and self._pidfds and self._exceeds(limits.memory_bytes):
            self._note(ceilings.memory_words(limits))
            self.kill(ceilings.memory_words(limits))
        if self._is_full():
            self._note(ceilings.process_words(limits))
        if limits.open_files and open_files(self.pid) >= limits.open_files:
            self._note(ceilings.file_words(limits))
        if limits.disk_bytes:
            for name, fd in self.parts.disks.items():
                if os.fstatvfs(fd).f_bavail == 0:
                    self._note(ceilings.disk_words(limits, name))

    # --- inside

    def _note(self, sentence: str) -> None:
        if sentence not in self._events:
            self._events.append(sentence)

    def _is_full(self) -> bool:
        """Whether a process was refused, or would be now."""
        group = self.parts.group
        if group is not None and group.pids is not None:
            return group.refused_forks() > 0
        return 0 < self.parts.limits.processes <= (self._processes() if self._pidfds else 0)

    def _memory(self) -> int:
        group = self.parts.group
        if group is not None and group.memory is not None:
            return group.memory_bytes()
        return self._on_disks() + self._table.memory_below(self.parts.root)

    def _exceeds(self, memory_bytes: int) -> bool:
        """The cheap sum counts what processes share once for each; only when it is too much, count exactly."""
        cheap = self._on_disks() + self._table.below(self.parts.root).memory_bytes
        return cheap > memory_bytes and self._memory() > memory_bytes

    def _on_disks(self) -> int:
        """What its size-limited folders hold, which is in memory as well."""
        disks = [os.fstatvfs(fd) for fd in self.parts.disks.values()]
        return sum((disk.f_blocks - disk.f_bfree) * disk.f_frsize for disk in disks)

    def _processes(self) -> int:
        own = 0 if self.parts.root == self.parts.pid else 1
        return max(0, self._table.below(self.parts.root).processes - own)

    def _send(self, pid: int, number: int) -> None:
        if pid in self._pidfds:
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._pidfds[pid], number)

    async def _ends_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        return self._exit is not None

    def _follow(self, pid: int, ended: Callable[[], None]) -> None:
        fd = self._pidfds[pid]
        self._watched.append(fd)
        self._loop.add_reader(fd, ended)

    def _unfollow(self) -> None:
        for fd in self._watched:
            self._loop.remove_reader(fd)
        self._watched = []

    def _keeper_ended(self) -> None:
        self._unfollow()
        try:
            _, self._status, used = os.wait4(self.parts.keeper, 0)
            self._cpu_seconds = used.ru_utime + used.ru_stime
        except ChildProcessError:  # somebody else has reaped it; its status is lost
            self._status = 255 << 8
        if self.parts.root == self.parts.keeper:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.parts.keeper, signal.SIGKILL)  # what it left behind in its session
            self._all_ended()
            return
        self._send(self.parts.root, signal.SIGKILL)  # if the keeper was killed, the inside dies a moment later
        self._follow(self.parts.root, self._all_ended)

    def _all_ended(self) -> None:
        self._unfollow()
        self.observe()
        code = os.waitstatus_to_exitcode(self._status or 0)
        number = -code if code < 0 else code - 128 if 128 < code < 128 + signal.NSIG else 0
        limits = self.parts.limits
        cause = ceilings.limit_behind(number, self._cpu_seconds, limits, self._events) or self._cause
        words = ceilings.exit_words(code, number, limits, self._events, cause)
        self._exit = Exit(128 + number if number else code, number, words)
        close_all([*self._pidfds.values(), *self.parts.disks.values()])
        self._pidfds.clear()
        self.parts.disks.clear()
        self._gone(self)
        self._ended.set()
