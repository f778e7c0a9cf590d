"""What the operating system knows of processes: who is alive, who dies with whom, what an exit means."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2)
_PR_SET_CHILD_SUBREAPER = 36
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def dies_with_parent(death_signal: int, parent: int = 0) -> Callable[[], None]:
    """For Popen's `preexec_fn`: the child gets the signal when the thread that starts it ends, even by kill -9.

    A child that calls it for itself names its `parent`.
    """
    parent = parent or os.getpid()

    def prepare() -> None:
        if _prctl is not None:
            _prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
            if os.getppid() != parent:  # it died between fork and prctl
                os._exit(1)

    return prepare


def adopt_orphans() -> None:
    """Let processes whose parent dies become ours, so that `descendants` finds them."""
    if _prctl is not None:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> list[int]:
    """All living processes below one, parents first. Linux only; elsewhere process groups must do."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = _children(waiting.pop())
        found += below
        waiting += below
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):  # it ended while we looked, or one of its threads did
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
    return found


def reap_orphans(ours: set[int]) -> None:
    """Collect adopted processes that have ended; those in `ours` are left to whoever waits for them."""
    for pid in _children(os.getpid()):
        if pid not in ours:
            with contextlib.suppress(ChildProcessError):  # whoever started it was faster
                os.waitpid(pid, os.WNOHANG)


def command_line(pid: int) -> str:
    """The command of a process, empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        if os.path.isdir("/proc/self"):
            return ""
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def stop_process(pid: int, first: signal.Signals, seconds: float) -> None:
    """End a process that is not our child: with `first`, after `seconds` with SIGKILL."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, first)
        end = time.monotonic() + seconds
        while time.monotonic() < end and command_line(pid):
            time.sleep(0.05)
        if command_line(pid):
            os.kill(pid, signal.SIGKILL)


def exit_words(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    return f"was ended by signal {-code} ({name})"
