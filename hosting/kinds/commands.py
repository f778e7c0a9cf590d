"""Runs the package tools: no shell, a time limit, their output kept, a chosen part of our own environment.

The operator's index settings reach the tools because the tools read them; Slipway's own settings don't.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hosting.kinds.boxed import Box, Expired
from hosting.kinds.failure import BuildFailed

MAX_LOG_CHARACTERS = 200_000

_PASSED = {
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "NODE_USE_SYSTEM_CA", "NETRC",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME", "XDG_DATA_HOME",
}  # fmt: skip
_PASSED_PREFIXES = ("UV_", "PIP_", "npm_config_", "NPM_CONFIG_")
_USERINFO = re.compile(r"(https?://)[^/\s@]+@", re.IGNORECASE)
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

LineSeen = Callable[[str], None]


@dataclass
class Log:
    """What the tools printed during one build, capped, without credentials in addresses and without hidden texts."""

    hidden: Mapping[str, str] = field(default_factory=dict)  # text → what stands for it
    parts: list[str] = field(default_factory=list)
    characters: int = 0

    def add(self, line: str) -> str:
        line = _USERINFO.sub(r"\1***@", _COLOUR.sub("", line)).rstrip()
        for text, instead in self.hidden.items():
            line = line.replace(text, instead)
        if self.characters < MAX_LOG_CHARACTERS:
            self.parts.append(line)
            self.characters += len(line) + 1
            if self.characters >= MAX_LOG_CHARACTERS:
                self.parts.append("(more was printed and isn't kept)")
        return line

    def text(self) -> str:
        return "\n".join(self.parts)


@dataclass(frozen=True)
class Finished:
    """A command that ended by itself. Both texts are cleaned and capped as the log is."""

    code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return f"{self.stdout}\n{self.stderr}"


@dataclass(frozen=True)
class Command:
    """One call of a tool. `held` are file descriptors that it keeps open as long as it lives.

    In the sandbox it sees /usr, the tool, `reads` and, to write in, `writes` and `cache`: folders that belong to this
    build alone, and the one that builds share. `is_foreign`: it may run code of the packages (install scripts, build
    backends), and then it has no `cache`.
    """

    argv: Sequence[str]
    cwd: Path
    seconds: float
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: str = ""
    held: Sequence[int] = ()
    logs_stdout: bool = True
    is_foreign: bool = False
    reads: Sequence[str] = ()
    writes: Sequence[Path] = ()
    cache: Path | None = None


def run(command: Command, log: Log, box: Box | None, line_seen: LineSeen | None = None) -> Finished:
    """Runs to the end; stderr goes to the log and `line_seen` line by line. Raises BuildFailed on time-out.

    Without a box it runs as we do: only for sites that were told to host without a sandbox.
    """
    tool = Path(command.argv[0]).name
    log.add(f"$ {' '.join([tool, *command.argv[1:]])}")
    if box is not None:
        return _run_boxed(box, command, log, line_seen)
    if command.is_foreign:
        log.add("Install code runs without a sandbox, because this site was told to host without one.")
    try:
        process = subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=tool_environment() | dict(command.env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=tuple(command.held),
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise BuildFailed(f"The tool {tool} couldn't be started: {error.strerror}.", log.text()) from error
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        _kill(process)

    timer = threading.Timer(command.seconds, expire)
    timer.start()
    with process:  # closes the pipes and waits
        try:
            finished = _follow(process, command, log, line_seen)
        finally:
            timer.cancel()
            _kill(process)
    if expired.is_set():
        raise _expired(command, log)
    return finished


def _run_boxed(box: Box, command: Command, log: Log, line_seen: LineSeen | None) -> Finished:
    printed, errors = Log(), Log(log.hidden)

    def complained(raw: str) -> None:
        line = log.add(raw)
        errors.add(raw)
        if line_seen:
            line_seen(line)

    try:
        code = box.run(command, tool_environment(), printed.add, complained)
    except Expired:
        raise _expired(command, log) from None
    except BuildFailed as failure:
        raise BuildFailed(failure.reason, log.text()) from failure
    if command.logs_stdout and printed.parts:
        log.add(printed.text())
    return Finished(code, printed.text(), errors.text())


def _expired(command: Command, log: Log) -> BuildFailed:
    return BuildFailed(
        f"{Path(command.argv[0]).name} wasn't done after {command.seconds:.0f} seconds and was stopped."
        " Try again later.",
        log.text(),
        is_transient=True,
    )


def tool_environment() -> dict[str, str]:
    """The part of our environment that a package tool may see."""
    env = {name: value for name, value in os.environ.items() if name in _PASSED or name.startswith(_PASSED_PREFIXES)}
    if "PIP_INDEX_URL" in env and not ({"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & env.keys()):
        # uv reads its own variables only; who set an index for pip means it for every Python package.
        env["UV_DEFAULT_INDEX"] = env["PIP_INDEX_URL"]
    if "PIP_CERT" in env:
        env.setdefault("SSL_CERT_FILE", env["PIP_CERT"])
    return env


def _follow(process: subprocess.Popen[str], command: Command, log: Log, line_seen: LineSeen | None) -> Finished:
    assert process.stdin and process.stdout and process.stderr
    printed = Log()  # data for the caller, so nothing is hidden in it

    def read_stdout() -> None:
        for line in process.stdout or ():
            printed.add(line)

    reader = threading.Thread(target=read_stdout, daemon=True)
    reader.start()
    with contextlib.suppress(BrokenPipeError):  # it ended before it read; its exit code and stderr say why
        process.stdin.write(command.stdin)
        process.stdin.close()
    errors = Log(log.hidden)
    for raw in process.stderr:
        line = log.add(raw)
        errors.add(raw)
        if line_seen:
            line_seen(line)
    reader.join()
    if command.logs_stdout and printed.parts:
        log.add(printed.text())
    return Finished(process.wait(), printed.text(), errors.text())


def _kill(process: subprocess.Popen[str]) -> None:
    """Ends the tool with everything it started: it leads a process group of its own."""
    if process.poll() is not None:
        return  # its id may already belong to somebody else
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
