"""A shell at a site, at which commands of `manage.py` start at once.

Each would load Django and all of ours first, seconds of a processor that a run of the tests pays hundreds of times. So
one process of the site's environment loads them, and is forked for each command; from there on it is what `manage.py`
does. `python -m tests.shell SOCKET` is that process. It ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

_READY: Final = "ready"
_MAX_WORDS: Final = 1 << 20  # octets
_PID_OCTETS: Final = 10


class Shell:
    """Of one site, whose project lies in `root`. Threads may use it at the same time."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self._root = root
        self._environment = environment
        self._folder = tempfile.mkdtemp(prefix="slipway-shell-", dir="/tmp")  # a short path: a socket lies in it
        self._starting = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    @property
    def _path(self) -> str:
        return f"{self._folder}/shell"

    def run(self, words: tuple[str, ...], seconds: float) -> subprocess.CompletedProcess[str]:
        """Raises TimeoutExpired, after it has ended the command, as `subprocess.run` does."""
        self._start()
        with (
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as err,
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as command,
        ):
            command.connect(self._path)
            socket.send_fds(command, ["\0".join(words).encode()], [out.fileno(), err.fileno()])
            command.shutdown(socket.SHUT_WR)
            pid = int(command.recv(_PID_OCTETS, socket.MSG_WAITALL))  # what follows may be here already
            command.settimeout(seconds)
            try:
                code = command.recv(32)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                command.recv(32)  # until it has ended
                raise subprocess.TimeoutExpired(words, seconds, _text(out), _text(err)) from None
            # Without a code it was killed.
            return subprocess.CompletedProcess(words, int(code) if code else -signal.SIGKILL, _text(out), _text(err))

    def _start(self) -> None:
        with self._starting:
            if self._process is not None:
                return
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.shell", self._path],
                env={**self._environment, "SLIPWAY_PART": "shell"},
                cwd=self._root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert self._process.stdout is not None
            with self._process.stdout as stdout:
                said = stdout.readline().strip()
            assert said == _READY, f"the shell did not start: {said or 'see above'}"

    def close(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(60)
            self._process = None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(self._folder)


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def serve(path: str) -> None:
    """One fork for each connection, until standard input ends."""
    os.environ["DJANGO_SETTINGS_MODULE"] = _settings_module()
    import django

    django.setup()
    _load_commands()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: each says itself how it ended
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(path)
        listening.listen()
        print(_READY, flush=True)
        while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
            command, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _become(command)
            command.close()


def _settings_module() -> str:
    from config import env

    return env.settings_module()


def _load_commands() -> None:
    """What the commands import, too."""
    from django.core.management import get_commands, load_command_class

    for name, app in get_commands().items():
        if not str(app).startswith(("django.", "allauth")):
            load_command_class(str(app), name)


def _become(command: socket.socket) -> None:
    """The command, in the process that was forked for it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sent, files, _flags, _address = socket.recv_fds(command, _MAX_WORDS, 2)
    words = sent
    while part := command.recv(_MAX_WORDS):
        words += part
    command.sendall(str(os.getpid()).zfill(_PID_OCTETS).encode())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for target, file in enumerate(files, start=1):
        os.dup2(file, target)
    code = 1
    try:
        code = _code(words.decode().split("\0"))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        command.sendall(str(code).encode())
        os._exit(code)


def _code(words: list[str]) -> int:
    """What `manage.py` would exit with."""
    import traceback

    from django.core.management import execute_from_command_line

    sys.argv = ["manage.py", *words]
    try:
        execute_from_command_line(sys.argv)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
            return 1
        return ended.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
