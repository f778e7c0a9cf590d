"""Ports for programs that are told theirs, before they can listen."""

from __future__ import annotations

import contextlib
import random
import socket
import sys
from pathlib import Path
from typing import Final

_FIRST: Final = 20_000
_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_marks: list[socket.socket] = []


def free_port() -> int:
    """One that nobody listens at, and that no other process of tests is given while this one lives.

    None of those that the system gives to whoever connects or listens without naming one: those may be somebody's by
    the time that the program has come to listen, or while a site is stopped to be started again.
    """
    # Not `random` itself, which pytest-randomly begins anew for each test, with the same seed in all processes.
    quiet = _given_to_nobody()
    for port in [*random.SystemRandom().sample(quiet, k=min(100, len(quiet))), *[0] * 100]:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            probe.bind(("127.0.0.1", port))
            found: int = probe.getsockname()[1]
            _mark(found)
            return found
    raise RuntimeError("this machine has no free port left")


def _given_to_nobody() -> range:
    """Empty where the system does not say, or gives all of them."""
    try:
        return range(_FIRST, max(_FIRST, int(_RANGE.read_text().split()[0])))
    except OSError:
        return range(0)


def _mark(port: int) -> None:
    """Raises OSError where another process has done so. A name of Linux's own, which is gone with its process."""
    if sys.platform == "linux":
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            mark.bind(f"\0slipway-tests-{port}")
        except OSError:
            mark.close()
            raise
        _marks.append(mark)
