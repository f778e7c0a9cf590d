"""A look at all processes of the machine, for what no control group tells: who descends from whom, and what they use.

One look serves every instance of a runner.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
FRESH_SECONDS = 0.05


@dataclass(frozen=True)
class Seen:
    """Threads count as processes, as they do for every limit of the kernel."""

    memory_bytes: int
    processes: int
    cpu_seconds: float


class ProcessTable:
    """Sums over a process and its descendants."""

    def __init__(self) -> None:
        self._at = 0.0
        self._children: dict[int, list[int]] = {}
        self._stat: dict[int, tuple[int, float]] = {}  # threads, CPU seconds

    def below(self, pid: int) -> Seen:
        """`pid` itself counts. Memory is what is not shared with a file: resident minus shared pages."""
        memory = threads = 0
        cpu = 0.0
        for one in self._family(pid):
            if one in self._stat:
                threads += self._stat[one][0]
                cpu += self._stat[one][1]
                memory += _own_memory(one)
        return Seen(memory, threads, cpu)

    def memory_below(self, pid: int) -> int:
        """The same, with each page that processes share counted once. Dearer: the kernel walks their page tables."""
        return sum(_proportional_memory(one) for one in self._family(pid))

    def _family(self, pid: int) -> list[int]:
        if time.monotonic() - self._at > FRESH_SECONDS:
            self._look()
        found = [pid]
        for one in found:  # grows as it goes
            found += self._children.get(one, [])
        return found

    def _look(self) -> None:
        self._children, self._stat = {}, {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            # proc(5): state ppid … utime stime cutime cstime priority nice num_threads, from field 3 on
            if fields[0] != b"Z":
                self._stat[int(name)] = (int(fields[17]), (int(fields[11]) + int(fields[12])) / TICKS)
            self._children.setdefault(int(fields[1]), []).append(int(name))
        self._at = time.monotonic()


def _own_memory(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            fields = file.read().split()
    except OSError:
        return 0
    return (int(fields[1]) - int(fields[2])) * PAGE_BYTES


def _proportional_memory(pid: int) -> int:
    """proc(5), smaps_rollup: the shares of memory that belongs to no file."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return _own_memory(pid)
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith((b"Pss_Anon:", b"Pss_Shmem:")))


def children_of(pid: int) -> list[int]:
    """Of a process that makes no more of them meanwhile."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError):
                if parent_of(int(name)) == pid:
                    found.append(int(name))
    return found


def parent_of(pid: int) -> int:
    """Raises OSError when it is gone."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])


def open_files(pid: int) -> int:
    """0 when it can't be told."""
    try:
        return os.stat(f"/proc/{pid}/fd").st_size or len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0
