"""Runs the package tools in the sandbox that hosted servers run in.

A tool sees /usr, its interpreter, the folders of its build and, unless code of a package may run with it, the cache of
downloads that builds share; no home, no environment of ours. Its network is the egress proxy, which lets it reach the
package indexes and nothing else. When it ends, everything that it started has ended, and its folders are taken back.

Tools that run no foreign code are one user in all builds, who owns the cache. Those that may are a user of their own,
have a cache of their own, and no credentials of an index.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from hosting.kinds import credentials, leftovers
from hosting.kinds.failure import BuildFailed
from hosting.kinds.indexes import Indexes, indexes, npm_settings
from hosting.kinds.lines import Line, Lines
from hosting.kinds.relayed import Relay
from hosting.runner.egress.doors import PROXY_PORT
from hosting.runner.egress.keeper import Keeper
from hosting.runner.egress.policy import Policy
from hosting.runner.placement import Egress, Limits
from hosting.runner.runtimes.base import Exit, LaunchFailed, LaunchSpec, Process, SandboxUnavailable
from hosting.runner.runtimes.bubblewrap import Bubblewrap

if TYPE_CHECKING:
    from hosting.kinds.commands import Command

MAX_FOLDER_BYTES, MAX_FOLDER_FILES = 4 * 1024**3, 500_000
LIMITS = Limits(
    memory_bytes=2 * 1024**3,
    processes=512,
    open_files=4096,
    cpu_seconds=3600,
    disk_bytes=MAX_FOLDER_BYTES,  # of any one file; /tmp and the home are memory, and end at that limit
)
MAX_STDIN = 60_000  # less than a pipe holds
LOOK_SECONDS = 2.0
LAST_REPORT_SECONDS = 2.0  # for the proxy to say what it refused
_PROXY = f"http://127.0.0.1:{PROXY_PORT}"


class Expired(Exception):  # noqa: N818 - the outcome of a run
    """It took longer than its time."""


class Box:
    """The sandbox of one build. Its loop and its proxy live as long as the build; each tool is an instance."""

    def __init__(self) -> None:
        self._relay = Relay()
        self._runtimes: dict[bool, Bubblewrap] = {}
        self._keeper: Keeper | None = None
        self._places = Indexes(())
        self._complained: Line = lambda line: None

    def __enter__(self) -> Box:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._relay.run(self._close())
        self._relay.close()

    def run(self, command: Command, environment: Mapping[str, str], printed: Line, complained: Line) -> int:
        """The exit code. `printed` and `complained` get stdout and stderr line by line, on the thread that calls.

        What the network refused is complained of, too.
        `environment` is what a tool would get outside of the sandbox. Raises Expired, BuildFailed.
        """
        if len(command.stdin) > MAX_STDIN:
            raise BuildFailed("It names more packages than can be resolved at once.")
        for folder in (command.cache, *command.writes):
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
        self._complained = complained
        try:
            with self._settings(command, environment) as (settings, env):
                ended = self._relay.run(self._run(command, settings, env, printed))
        except (LaunchFailed, SandboxUnavailable) as error:
            raise BuildFailed(f"The build sandbox could not be made: {error}.") from error
        finally:
            try:
                for folder in command.writes:
                    leftovers.take_back(folder, command.reads)
            except leftovers.LeftoverRefused as error:
                raise BuildFailed(f"What it installed can't be used: {error}.") from error
        if ended.reason.startswith(("memory limit", "CPU limit", "disk limit", "folder limit")):
            raise BuildFailed(f"{_culprit(command)} was stopped: {ended.reason}.")
        return ended.code

    # --- inside

    @contextmanager
    def _settings(
        self, command: Command, environment: Mapping[str, str]
    ) -> Iterator[tuple[list[Path], Mapping[str, str]]]:
        """A folder for what only files can say, and the environment."""
        is_npm = Path(command.argv[0]).name == "npm"
        # A build from source may call both.
        self._places = indexes(environment, with_npm=is_npm or command.is_foreign, with_users=not command.is_foreign)
        if command.is_foreign:
            yield [], self._places.env
            return
        known = npm_settings(environment) if is_npm else {}
        found = credentials.of_npm(environment, known) if is_npm else credentials.of_uv(environment)
        if not found.files:
            yield [], {**self._places.env, **found.env}
            return
        with tempfile.TemporaryDirectory(prefix="slipway-settings-") as folder:
            for name, text in found.files.items():
                Path(folder, name).write_text(text, encoding="utf-8")
            named = {name: str(Path(folder, name)) for name in found.files}
            yield [Path(folder)], {**self._places.env, **found.env, **named}

    async def _close(self) -> None:
        if self._keeper is not None:
            self._keeper.close()
        for runtime in self._runtimes.values():
            runtime.close()

    async def _run(self, command: Command, settings: list[Path], env: Mapping[str, str], printed: Line) -> Exit:
        runtime, keeper = self._runtime(command.is_foreign)
        spec = _spec(command, self._places, settings, env)
        process = await runtime.start(spec)
        keeper.following(spec.instance)
        try:
            return await self._follow(process, command, printed)
        finally:
            await process.stop(0)
            process.close()
            await keeper.settled(spec.instance, LAST_REPORT_SECONDS)

    def _runtime(self, is_foreign: bool) -> tuple[Bubblewrap, Keeper]:
        if is_foreign not in self._runtimes:
            self._runtimes[is_foreign] = Bubblewrap(is_builder=not is_foreign)
        if self._keeper is None:
            self._keeper = Keeper(
                lambda spec: Policy(
                    "listed", trusted=list(self._places.hosts), is_explicit=True, upstream=self._places.upstream
                ),
                printed=lambda deployment, instance, line: self._complain(line),
            )
            self._keeper.start()
        self._runtimes[is_foreign].doorway = self._keeper
        return self._runtimes[is_foreign], self._keeper

    def _complain(self, line: str) -> None:
        self._relay.say(self._complained, line)

    async def _follow(self, process: Process, command: Command, printed: Line) -> Exit:
        """Until its end. Whoever is too long or too large is ended."""
        out = Lines(process.stdout, lambda line: self._relay.say(printed, line))
        err = Lines(process.stderr, self._complain)
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
        return Exit(ended.code, ended.signal, over[0]) if over else ended


def _spec(command: Command, places: Indexes, settings: list[Path], env: Mapping[str, str]) -> LaunchSpec:
    tool, reads = _tool(command.argv[0])
    path = [os.path.dirname(one) for one in (*command.reads, tool)] + ["/usr/local/bin", "/usr/bin", "/bin"]
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _PROXY)
    shared = [command.cache] if command.cache is not None else []
    return LaunchSpec(
        f"build-{secrets.token_hex(4)}",
        [tool, *command.argv[1:]],
        {**env, **proxies, "PATH": ":".join(dict.fromkeys(path)), **command.env},
        [*reads, *command.reads, *places.reads],
        LIMITS,
        writable=[str(folder) for folder in (*command.writes, *shared, *settings)],
        cwd=str(command.cwd),
        deployment="build",
        egress=Egress("listed"),
    )


def _tool(path: str) -> tuple[str, list[str]]:
    """Its real path and what of it a sandbox has to see besides /usr. npm is a script in a folder of its own."""
    real = Path(os.path.realpath(path))
    package = next((parent for parent in real.parents if parent.parent.name == "node_modules"), None)
    return str(real), [str(package or real)]


def _feed(process: Process, text: str) -> None:
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


def _culprit(command: Command) -> str:
    return "Its install code" if command.is_foreign else "Its installation"
