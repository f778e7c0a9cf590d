"""A site and its load before everything else on the machine, while it is measured. Linux, as root.

On a machine that others use as well, times say what they do, not what the site does. An ordinary priority doesn't help,
as the kernel weighs it within a session only; the session's own does (sched(7), "The autogroup feature"). Real-time
priority would, but a process then keeps its core for 100 ms, which is what the times would show.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from config.launch.processes import descendants

PAUSE_SECONDS = 3.0  # for the others, after each measurement
_FIRST = -20


@contextlib.contextmanager
def in_front(pid: int, *, is_wanted: bool) -> Iterator[None]:
    """The sessions of `pid` and of what it started, and that of this process."""
    if not is_wanted:
        yield
        return
    pids = [*descendants(pid), pid, os.getpid()]
    _weigh(pids, _FIRST)
    try:
        yield
    finally:
        _weigh(pids, 0)
        time.sleep(PAUSE_SECONDS)


def _weigh(pids: list[int], nice: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            Path(f"/proc/{pid}/autogroup").write_text(str(nice))
