"""Runs a package tool in the sandbox that hosted servers run in, because code of its packages runs with it.

It sees /usr, its interpreter and the one folder that it may write to; no home, no environment of ours. Its network is
the egress proxy, which lets it reach the package indexes and nothing else. When it ends, everything that it started has
ended, and its folder is taken back.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hosting.kinds import leftovers
from hosting.kinds.failure import BuildFailed
from hosting.kinds.indexes import Indexes, indexes
from hosting.runner.control import Egress, Limits
from hosting.runner.egress.doors import PROXY_PORT
from hosting.runner.egress.keeper import Keeper
from hosting.runner.egress.policy import Policy
from hosting.runner.runtimes.base import Exit, LaunchFailed, LaunchSpec, Process, SandboxUnavailable
from hosting.runner.runtimes.bubblewrap import Bubblewrap

if TYPE_CHECKING:
    from hosting.kinds.commands import Command

LIMITS = Limits(
    memory_bytes=2 * 1024**3,
    processes=512,
    open_files=4096,
    cpu_seconds=3600,
    disk_bytes=1024**3,  # of /tmp and the home, each, and of any one file
)
MAX_FOLDER_BYTES, MAX_FOLDER_FILES = 4 * 1024**3, 500_000
LOOK_SECONDS = 2.0
LAST_REPORT_SECONDS = 1.5
READ_OCTETS = 65536
MAX_LINE = 16 * 1024
_PROXY = f"http://127.0.0.1:{PROXY_PORT}"

Line = Callable[[str], object]


class Expired(Exception):  # noqa: N818 - the outcome of a run
    """It took longer than its time."""


def run_boxed(command: Command, environment: dict[str, str], printed: Line, complained: Line) -> int:
    """The exit code. `printed` and `complained` get stdout and stderr line by line; refusals of the network, too.

    Raises Expired, BuildFailed.
    """
    places = indexes(environment)
    try:
        ended = asyncio.run(_run(command, places, printed, complained))
    except (LaunchFailed, SandboxUnavailable) as error:
        raise BuildFailed(f"The build sandbox could not be made: {error}.") from error
    finally:
        try:
            for folder in command.writes:
                leftovers.take_back(folder, command.reads)
        except leftovers.LeftoverRefused as error:
            raise BuildFailed(f"What its install code left can't be used: {error}.") from error
    if ended.reason.startswith(("memory limit", "CPU limit", "disk limit", "folder limit")):
        raise BuildFailed(f"Its install code was stopped: {ended.reason}.")
    return ended.code


async def _run(command: Command, places: Indexes, printed: Line, complained: Line) -> Exit:
    runtime = Bubblewrap()
    keeper = Keeper(
        lambda spec: Policy("listed", trusted=list(places.hosts), is_explicit=True, upstream=places.upstream),
        printed=lambda deployment, instance, line: _say(complained, line),
    )
    runtime.doorway = keeper
    try:
        keeper.start()
        process = await runtime.start(_spec(command, places))
        try:
            return await _follow(process, command, printed, complained)
        finally:
            await process.stop(0)
            process.close()
            await asyncio.sleep(0)
    finally:
        keeper.close()
        runtime.close()


def _spec(command: Command, places: Indexes) -> LaunchSpec:
    tool, reads = _tool(command.argv[0])
    path = [os.path.dirname(one) for one in (*command.reads, tool)] + ["/usr/local/bin", "/usr/bin", "/bin"]
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _PROXY)
    return LaunchSpec(
        f"build-{secrets.token_hex(4)}",
        [tool, *command.argv[1:]],
        {**places.env, **proxies, "PATH": ":".join(dict.fromkeys(path)), **command.env},
        [*reads, *command.reads, *places.reads],
        LIMITS,
        writable=[str(folder) for folder in command.writes],
        cwd=str(command.cwd),
        deployment="build",
        egress=Egress("listed"),
    )


def _tool(path: str) -> tuple[str, list[str]]:
    """Its real path and what of it a sandbox has to see besides /usr. npm is a script in a folder of its own."""
    real = Path(os.path.realpath(path))
    package = next((parent for parent in real.parents if parent.parent.name == "node_modules"), None)
    return str(real), [str(package or real)]


async def _follow(process: Process, command: Command, printed: Line, complained: Line) -> Exit:
    """Until its end. Whoever is too long or too large is ended."""
    out, err = _Lines(process.stdout, printed), _Lines(process.stderr, complained)
    _feed(process, command.stdin)
    over: list[str] = []
    looking = asyncio.create_task(_look(process, command, over))
    try:
        async with asyncio.timeout(command.seconds):
            ended = await process.wait()
    except TimeoutError as error:
        raise Expired from error
    finally:
        looking.cancel()
        out.finish()
        err.finish()
    if ended.code:
        await asyncio.sleep(LAST_REPORT_SECONDS)  # the proxy may have the reason
    return Exit(ended.code, ended.signal, over[0]) if over else ended


def _feed(process: Process, text: str) -> None:
    """The texts are short: less than a pipe holds."""
    if text:
        os.write(process.stdin, text.encode())
    os.close(process.stdin)
    process.stdin = -1


async def _look(process: Process, command: Command, over: list[str]) -> None:
    """Ends it when its folder is too large, which no kernel limit does."""
    while not over:
        await asyncio.sleep(LOOK_SECONDS)
        for folder in command.writes:
            octets, entries = await asyncio.to_thread(leftovers.size_of, folder, MAX_FOLDER_BYTES, MAX_FOLDER_FILES)
            if octets > MAX_FOLDER_BYTES or entries > MAX_FOLDER_FILES:
                over.append(f"folder limit of {MAX_FOLDER_BYTES // 1024**3} GB or {MAX_FOLDER_FILES} files reached")
                await process.stop(0)


def _say(line: Line, text: str) -> None:
    line(text)


class _Lines:
    """Reads a pipe as it fills."""

    def __init__(self, fd: int, line: Line) -> None:
        self._fd, self._line, self._rest = fd, line, b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(fd, self._read)

    def _read(self) -> bool:
        try:
            data = os.read(self._fd, READ_OCTETS)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._fd)
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for one in lines:
            self._line(one.decode("utf-8", "replace"))
        if len(self._rest) > MAX_LINE:
            self._line(self._rest.decode("utf-8", "replace"))
            self._rest = b""
        return True

    def finish(self) -> None:
        self._loop.remove_reader(self._fd)
        while self._read():
            pass
        if self._rest:
            self._line(self._rest.decode("utf-8", "replace"))
            self._rest = b""
