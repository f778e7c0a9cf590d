"""Instances as plain processes of the runner's user: for trying things out where nothing can sandbox.

They can read what the runner can read and reach what it can reach. Chosen only by name. Limits are watched; open files,
file size and CPU are the kernel's.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from resource import prlimit
from typing import cast

from hosting.runner.runtimes import ceilings
from hosting.runner.runtimes.base import Handed, LaunchFailed, LaunchSpec, Process, Verdict
from hosting.runner.runtimes.child import Child, Left, Parts
from hosting.runner.runtimes.descriptors import Pipes, spawn
from hosting.runner.runtimes.view import PATH
from hosting.runner.runtimes.watch import ProcessTable
from hosting.runner.runtimes.watcher import Watcher

GATE = 'read -r go <&3 || exit 1; exec 3<&-; exec "$@"'
WORDS = "none: instances are NOT sandboxed and can read and reach whatever this user can"


class Insecure:
    """A `Runtime` without a sandbox."""

    def __init__(self) -> None:
        self._table = ProcessTable()
        self._watcher = Watcher(is_only_guard=True)
        self._homes: dict[Child, str] = {}
        self._living: set[Child] = set()

    async def start(self, spec: LaunchSpec) -> Child:
        made = "" if spec.home is not None and not spec.files else tempfile.mkdtemp(prefix="slipway-insecure-")
        home = str(spec.home) if spec.home is not None else made
        env = {"PATH": PATH, "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", **spec.env, **_stored(spec, made)}
        argv = [shutil.which(spec.argv[0], path=env["PATH"]) or spec.argv[0], *spec.argv[1:]]
        pipes = Pipes()
        gate, key = os.pipe2(os.O_CLOEXEC)
        try:
            fds = {**dict(enumerate(pipes.theirs)), 3: gate}
            if not os.access(argv[0], os.X_OK):
                raise LaunchFailed(f"{spec.argv[0]} is not a program that can be run")
            pid = spawn(_dying_with_us(["/bin/sh", "-c", GATE, "server", *argv], home), env, fds)
            pipes.handed_over()
            for kind, value in ceilings.rlimits(spec.limits, spare_processes=None, cap_data=True):
                prlimit(pid, kind, value)
            stdin, stdout, stderr = pipes.ours
            child = Child(Parts(pid, pid, pid, stdin, stdout, stderr, spec.limits), self._table, self._gone)
            os.write(key, b"\n")
        except (OSError, LaunchFailed) as error:
            pipes.close()
            shutil.rmtree(made, ignore_errors=True)
            raise error if isinstance(error, LaunchFailed) else LaunchFailed(str(error)) from error
        finally:
            os.close(gate)
            os.close(key)
        self._keep(child, made)
        return child

    async def check(self) -> Verdict:
        return Verdict(True, WORDS)

    def hand_over(self) -> Handed:
        left = [(child.left(), self._homes.get(child, "")) for child in self._living if child.poll() is None]
        return Handed(left, [fd for one, _ in left for fd in one.descriptors])

    def take_over(self, state: object) -> dict[int, Process]:
        for left, home in cast("list[tuple[Left, str]]", state):
            self._keep(Child(left.parts, self._table, self._gone, left), home)
        return {child.pid: child for child in self._living}

    def _keep(self, child: Child, home: str) -> None:
        self._living.add(child)
        if home:
            self._homes[child] = home
        self._watcher.add(child)

    def close(self) -> None:
        for home in self._homes.values():
            shutil.rmtree(home, ignore_errors=True)

    def _gone(self, child: Child) -> None:
        self._watcher.remove(child)
        self._living.discard(child)
        if child in self._homes:
            shutil.rmtree(self._homes.pop(child), ignore_errors=True)


def _stored(spec: LaunchSpec, made: str) -> dict[str, str]:
    """Its secret files, in a folder that goes with it: the variables that name them."""
    folder = os.path.join(made, ".secrets")
    if spec.files:
        os.mkdir(folder, 0o700)
    paths = {name: os.path.join(folder, name) for name in spec.files}
    for name, path in paths.items():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(spec.files[name])
    return paths


def _dying_with_us(argv: list[str], home: str) -> list[str]:
    setpriv = shutil.which("setpriv", path="/usr/bin:/bin")
    inside = ["/bin/sh", "-c", 'cd "$1" && shift && exec "$@"', "cd", home, *argv]
    return [setpriv, "--pdeathsig", "KILL", "--", *inside] if setpriv else inside
