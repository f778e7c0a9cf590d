"""Descriptors for a child: in-memory files, pipes, and a spawn that places them at fixed numbers.

posix_spawn and not fork: a runner is large and has threads, and a copy of it must never run Python code.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

# Above every number that a child is given, so that placing one never overwrites another that is still to be placed.
_HIGH = 64
_RESET = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]


def memory_file(name: str, content: bytes) -> int:
    fd = os.memfd_create(name)
    os.write(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def close_all(fds: Iterable[int]) -> None:
    for fd in fds:
        if fd >= 0:
            with suppress(OSError):
                os.close(fd)


def spawn(argv: Sequence[str], env: Mapping[str, str], fds: Mapping[int, int]) -> int:
    """Start `argv` with exactly these descriptors ({its number: ours}) in a session of its own; returns its pid.

    Raises OSError.
    """
    raised: dict[int, int] = {}
    try:
        for number, fd in fds.items():
            raised[number] = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH)
        actions: list[tuple[int, int] | tuple[int, int, int]] = [(os.POSIX_SPAWN_CLOSE, fd) for fd in _inherited()]
        actions += [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in raised.items()]
        return os.posix_spawn(
            argv[0], list(argv), dict(env), file_actions=actions, setsid=True, setsigmask=[], setsigdef=_RESET
        )
    finally:
        close_all(raised.values())


def _inherited() -> list[int]:
    """Descriptors that would pass on: what Python opens is close-on-exec, what we were started with may not be."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if int(name) > 2 and os.get_inheritable(int(name)):
                found.append(int(name))
    return found


class Pipes:
    """The three pipes of a child: our ends, non-blocking, and its ends until they are handed over."""

    def __init__(self) -> None:
        self.theirs: list[int] = []
        self.ours: list[int] = []
        try:
            for is_input in (True, False, False):
                read, write = os.pipe2(os.O_CLOEXEC)
                self.theirs.append(read if is_input else write)
                self.ours.append(write if is_input else read)
        except OSError:
            self.close()
            raise
        for fd in self.ours:
            os.set_blocking(fd, False)

    def give_to(self, uid: int) -> None:
        """Let that user open /dev/stdout and its kin, which are the pipes by another name."""
        for fd in self.theirs:
            os.fchown(fd, uid, uid)

    def handed_over(self) -> None:
        close_all(self.theirs)
        self.theirs = []

    def close(self) -> None:
        close_all([*self.theirs, *self.ours])
        self.theirs, self.ours = [], []
