"""Instances in bubblewrap: namespaces of their own, a read-only system, no network, a filter, limits.

How a start goes: a shell enters the instance's control groups and becomes bubblewrap, which builds the sandbox and
starts a shell in it. That one says that it is there; the kernel adds its pid as this process knows it. It then gets its
limits, is told to go, and becomes the server.

Nothing outlives bubblewrap: the first process inside dies with it and takes the rest along. The kernel sends that death
signal only between processes of one user, so who the first process is depends on who we are (`view.first_process`).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from resource import prlimit
from typing import cast

from hosting.runner.placement import Limits
from hosting.runner.runtimes import ceilings, cgroups, seccomp, shells, view
from hosting.runner.runtimes.base import (
    Doorway,
    Handed,
    LaunchFailed,
    LaunchSpec,
    Process,
    SandboxUnavailable,
    Verdict,
)
from hosting.runner.runtimes.child import Child, Left, Parts
from hosting.runner.runtimes.descriptors import Pipes, close_all, memory_file, spawn
from hosting.runner.runtimes.handshake import first_word, last_words
from hosting.runner.runtimes.identities import Held, Identities, Identity
from hosting.runner.runtimes.machine import TOOLS, advice, find_bubblewrap, missing
from hosting.runner.runtimes.shells import FILTER, FIRST_FILE, HANDSHAKE, INPUT, OPTIONS, OUTPUT, STORED, USERNS
from hosting.runner.runtimes.watch import ProcessTable, children_of, parent_of
from hosting.runner.runtimes.watcher import Watcher

START_SECONDS = 15.0
SPARE_PROCESSES = 8  # that the kernel's limit of a user lets through where a control group is to refuse first


@dataclass
class _Start:
    """What one start holds until it succeeds or is undone."""

    identity: Identity | None
    group: cgroups.Group | None
    pipes: Pipes
    fds: list[int] = field(default_factory=list)
    keeper: int = 0


class Bubblewrap:
    """A `Runtime`. `use_cgroups=False` watches limits by looking, as on a machine that lets nobody write groups."""

    def __init__(self, *, use_cgroups: bool = True, is_builder: bool = False) -> None:
        """Raises SandboxUnavailable where something is plainly missing; `check` finds the rest.

        `is_builder`: for one tool at a time, as the user that builds (identities.py).
        """
        is_root = os.geteuid() == 0
        self._path = find_bubblewrap()
        reason = missing(self._path, is_root)
        if reason:
            raise SandboxUnavailable(reason)
        unshare = shutil.which("unshare", path=TOOLS) or ""
        self._identities = Identities(unshare, is_builder=is_builder) if is_root else None
        self._groups = cgroups.detect() if use_cgroups else None
        self._table = ProcessTable()
        has_all = self._groups is not None and self._groups.has_memory and self._groups.has_pids
        self._watcher = Watcher(is_only_guard=not has_all)
        self._held: dict[Child, Identity | None] = {}
        self.doorway: Doorway | None = None  # None: no instance gets out

    # --- Runtime

    async def start(self, spec: LaunchSpec) -> Child:
        start = self._prepare(spec)
        try:
            return await self._launch(spec, start)
        except BaseException as error:
            self._undo(start)
            if self.doorway is not None:
                self.doorway.shut(spec.instance)
            if isinstance(error, OSError):
                raise LaunchFailed(f"the sandbox could not be built: {error}") from error
            raise

    async def check(self) -> Verdict:
        try:
            child = await self.start(LaunchSpec("check", ["/usr/bin/env", "true"], limits=Limits(disk_bytes=2**20)))
        except LaunchFailed as error:
            return Verdict(False, f"{error}{advice(str(error))}")
        try:
            ended = await child.wait()
        finally:
            child.close()
        if ended.code:
            return Verdict(False, f"a first try in the sandbox {ended.reason}")
        return Verdict(True, self.words)

    def hand_over(self) -> Handed:
        left = [(child.left(), identity) for child, identity in self._held.items() if child.poll() is None]
        held = self._identities.hand_over() if self._identities is not None else None
        namespaces = [fd for fd in held.namespaces.values() if fd >= 0] if held is not None else []
        return Handed((left, held), [*namespaces, *(fd for one, _ in left for fd in one.descriptors)])

    def take_over(self, state: object) -> dict[int, Process]:
        left, held = cast("tuple[list[tuple[Left, Identity | None]], Held | None]", state)
        if self._identities is not None and held is not None:
            self._identities.take_over(held)
        for one, identity in left:
            child = Child(one.parts, self._table, self._gone, one)
            self._held[child] = identity
            self._watcher.add(child)
        if self._groups is not None:
            self._groups.take_over(one.parts.group for one, _ in left if one.parts.group is not None)
        return {child.pid: child for child in self._held}

    @property
    def words(self) -> str:
        limits = self._groups.words if self._groups is not None else "rlimits and a look every 250 ms"
        who = "each with a user id of its own" if self._identities is not None else "as this user"
        return f"bubblewrap ({self._path}), {who}; limits by {limits}"

    def close(self) -> None:
        if self._groups is not None:
            self._groups.close()
        if self._identities is not None:
            self._identities.close()

    # --- a start, step by step

    def _prepare(self, spec: LaunchSpec) -> _Start:
        """Raises LaunchFailed, and then nothing is held."""
        identity = group = None
        try:
            identity = self._identities.take() if self._identities is not None else None
            group = self._groups.create(spec.instance, spec.limits) if self._groups is not None else None
            own = [*([spec.home] if spec.home is not None else []), *map(Path, spec.writable)]
            for folder in own if identity is not None else []:
                assert identity is not None
                _give_folder(folder, identity.uid)
            return _Start(identity, group, Pipes())
        except OSError as error:
            self._release(identity, group)
            raise LaunchFailed(f"the sandbox could not be built: {error}") from error

    async def _launch(self, spec: LaunchSpec, start: _Start) -> Child:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._spawn(spec, start, theirs.fileno())
            theirs.close()
            start.pipes.handed_over()
            try:
                async with asyncio.timeout(START_SECONDS):
                    pid = await first_word(ours)
            except TimeoutError:
                pid = 0
            if not pid:
                raise LaunchFailed(f"the sandbox could not be built: {last_words(start.pipes.ours[2])}")
            if spec.egress.mode != "none":
                if self.doorway is None:
                    raise LaunchFailed("it wants to reach the network, and here is no proxy for that")
                await self.doorway.open(spec, pid)
            child = self._adopt(spec, start, pid)
            ours.send(b"\n")
        return child

    def _spawn(self, spec: LaunchSpec, start: _Start, handshake: int) -> None:
        identity = start.identity
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        start.fds.append(nothing)
        stdin, stdout, stderr = start.pipes.theirs
        fds = {0: nothing, 1: nothing, 2: stderr, HANDSHAKE: handshake, INPUT: stdin, OUTPUT: stdout}

        def file(number: int, name: str, content: bytes) -> int:
            fds[number] = memory_file(name, content)
            start.fds.append(fds[number])
            return number

        files = {
            path: file(FIRST_FILE + place, path.rpartition("/")[2], content.encode())
            for place, (path, content) in enumerate(view.FILES.items())
        }
        if identity is not None:
            start.pipes.give_to(identity.uid)
            if identity.namespace >= 0:
                fds[USERNS] = identity.namespace
        options = view.options(spec, identity, files, {"filter": FILTER, "userns": USERNS})
        file(FILTER, "filter", seccomp.bytecode())
        file(OPTIONS, "options", "\0".join(options).encode())
        if spec.files:
            file(STORED, "stored", b"".join(content.encode() for content in spec.files.values()))
        entrances = start.group.entrances if start.group is not None else []
        argv = shells.argv(self._path, spec, identity, entrances)
        # Nothing of our environment: as an ordinary user, an instance could read it in /proc/1/environ.
        start.keeper = spawn(argv, {"PATH": TOOLS}, fds)
        close_all(start.fds)
        start.fds = []

    def _adopt(self, spec: LaunchSpec, start: _Start, pid: int) -> Child:
        """The server-to-be waits meanwhile."""
        group = start.group
        has_memory = group is not None and group.memory is not None
        spare = 0 if start.identity is not None else 1  # the first process inside is of the same user
        if group is not None and group.pids is not None:
            spare = SPARE_PROCESSES
        for kind, value in ceilings.rlimits(spec.limits, spare_processes=spare, cap_data=not has_memory):
            prlimit(pid, kind, value)
        names = ["/tmp", "/dev/shm"] + ([view.HOME] if spec.home is None else [])
        disks: dict[str, int] = {}
        for name in names if spec.limits.disk_bytes else []:
            with suppress(OSError):  # hardened kernels may refuse; then a full disk goes unnamed
                disks[name] = os.open(f"/proc/{pid}/root{name}", os.O_PATH | os.O_CLOEXEC)
                start.fds.append(disks[name])
        stdin, stdout, stderr = start.pipes.ours
        parts = Parts(
            pid, start.keeper, parent_of(pid), stdin, stdout, stderr, spec.limits, group, disks, spec.instance
        )
        child = Child(parts, self._table, self._gone)
        start.fds = []
        start.pipes.ours = []
        self._held[child] = start.identity
        self._watcher.add(child)
        return child

    # --- the end of one

    def _gone(self, child: Child) -> None:
        self._watcher.remove(child)
        if self.doorway is not None:
            self.doorway.shut(child.parts.instance)
        self._release(self._held.pop(child, None), child.parts.group)

    def _release(self, identity: Identity | None, group: cgroups.Group | None) -> None:
        if identity is not None and self._identities is not None:
            self._identities.give_back(identity)
        if group is not None and self._groups is not None:
            self._groups.discard(group)

    def _undo(self, start: _Start) -> None:
        if not start.pipes.ours:
            return  # a Child owns it all
        close_all(start.fds)
        start.pipes.close()
        if start.keeper:
            _end(start.keeper)
        self._release(start.identity, start.group)


def _end(keeper: int) -> None:
    """With its child, which at first waits for a word of bubblewrap's, and does not yet die with it: it would wait for
    ever. A stopped process has no further ones."""
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(keeper, signal.SIGSTOP)
        _, status = os.waitpid(keeper, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            return
        for pid in (*children_of(keeper), keeper):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.waitpid(keeper, 0)


def _give_folder(folder: Path, uid: int) -> None:
    """Make a kept home its next holder's. Links are given, not followed."""
    if folder.stat().st_uid == uid:
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.lchown(os.path.join(parent, name), uid, uid)
    os.chown(folder, uid, uid)
