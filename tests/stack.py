"""A whole site of a test's own: the real `manage.py up` on a free port, with a data folder that is its alone."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from config.launch.home import run_folder_remove
from config.launch.processes import command_line, descendants
from tests.bound import bound
from tests.leaks import leaked
from tests.ordinary_user import OrdinaryUser
from tests.ports import free_port
from tests.shell import Shell

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 180.0  # of a machine that many others use
SECONDS = 60.0  # the same for whatever else takes an instant
_READY = "Slipway is ready at "
# What a developer has set for the site of their own, or pytest for itself, is not for this one.
_NOT_HANDED_ON = ("SLIPWAY_", "DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL", "WEB_PROCESSES", "PYTEST_", "COV_")


class Stack:
    """Start with `start()`; `stop()` may be called at any time and again."""

    def __init__(self, home: Path, user: OrdinaryUser | None = None, /, **environment: str) -> None:
        self.home = home
        self._root = ROOT if user is None else user.root
        self._python = [sys.executable] if user is None else [*user.become, str(user.python)]
        self._manage = str(self._root / "manage.py")
        self.port = free_port()
        self.lines: list[str] = []  # of the terminal so far, standard output and error
        self._environment = {"SLIPWAY_HOME": str(home), "PORT": str(self.port), "BIND": "127.0.0.1", **environment}
        self._environment.update(user.environment if user is not None else {})
        self._process: subprocess.Popen[str] | None = None
        self._shell: Shell | None = None
        self._incoming: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.start_seconds = 0.0
        self.secrets: set[str] = set()  # what must not lie anywhere in its home when it has stopped

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def environment(self) -> Mapping[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_HANDED_ON)}
        return {**ours, **self._environment}

    def start(self) -> Stack:
        """Returns when the site says that it is ready; fails with what it said instead."""
        began = time.monotonic()
        self.launch()
        self.expect(_READY)
        self.start_seconds = time.monotonic() - began
        return self

    def launch(self) -> None:
        """Start and return at once. It is stopped in order when the thread that called this ends, even by kill -9."""
        self._close_shell()  # it knows the ports of the last time
        self.lines = []
        self._incoming = queue.SimpleQueue()
        self._process = subprocess.Popen(
            [*self._python, *bound(self._manage, "up")],
            env=self.environment,
            cwd=self._root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(self._process, self._incoming), daemon=True).start()

    @staticmethod
    def _read(process: subprocess.Popen[str], incoming: queue.SimpleQueue[str | None]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                incoming.put(line.rstrip("\n"))
        incoming.put(None)

    def expect(self, text: str, seconds: float = START_SECONDS) -> str:
        """The next line of the terminal that has this text in it."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._incoming.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(
                    f"{text!r} was not said in {seconds:g} s, but:\n" + "\n".join(self.lines)
                ) from None
            if line is None:
                self._incoming.put(None)
                raise AssertionError(f"It ended without saying {text!r}, but:\n" + "\n".join(self.lines))
            self.lines.append(line)
            if text in line:
                return line

    def manage(
        self, *words: str, seconds: float = START_SECONDS, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """What `./manage.py …` does for a person at a shell of this site."""
        if self._shell is None:
            self._shell = Shell(self._root, self.environment)
        done = self._shell.run(words, seconds)
        if check and done.returncode != 0:
            raise AssertionError(f"manage.py {' '.join(words)} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
        if words[0] == "issue_token" and done.returncode == 0:
            self.secrets.add(done.stdout.strip())
        return done

    def _close_shell(self) -> None:
        shell, self._shell = self._shell, None
        if shell is not None:
            shell.close()

    def processes(self) -> dict[int, str]:
        """Every living process below the supervisor, with its command."""
        return {pid: command for pid in descendants(self.pid) if (command := command_line(pid))}

    def part(self, word: str) -> int:
        """The process of a part by a word of its command, such as `manage.py worker`. Raises LookupError."""
        found = next((pid for pid, command in self.processes().items() if word in command), None)
        if found is None:  # no StopIteration: a future of a thread would never end with it
            raise LookupError(f"no process of the site has {word!r} in its command")
        return found

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        request = urllib.request.Request(self.url + path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def log(self, name: str) -> str:
        return (self.home / "logs" / f"{name}.log").read_text(errors="replace")

    def wait(self, seconds: float) -> int:
        """The exit code of the supervisor."""
        assert self._process is not None
        code = self._process.wait(seconds)
        with contextlib.suppress(AssertionError):
            self.expect("\0", SECONDS)  # take in the rest of what it said
        return code

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = SECONDS) -> int:
        """End it as a person or a service manager would. The exit code. Fails where a secret was written down."""
        self._close_shell()
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            code = self.wait(seconds)
            run_folder_remove(self.home)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its parts die with it
            self._process.wait()
            raise
        leaks = leaked(self.home, self.secrets)
        assert not leaks, f"secrets of this test lie in clear in {leaks}"
        return code
