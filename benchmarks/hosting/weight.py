"""What the processes of a site weigh: memory, descriptors and processor time of its parts, from /proc."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from benchmarks.endpoint.processes import memory_bytes
from tests.stack import Stack

_TICKS = os.sysconf("SC_CLK_TCK")
PARTS = {
    "web": "manage.py web",
    "worker": "manage.py worker",
    "beat": "manage.py beat",
    "runner": "-m hosting.runner --",
    "egress proxy": "-m hosting.runner.egress",
}


@dataclass(frozen=True)
class Weight:
    """Of one process."""

    memory: int  # bytes, shared pages by share
    resident: int
    descriptors: int
    cpu: float  # seconds so far


def pid_of(stack: Stack, part: str) -> int:
    """The first process of a part, which is the one that lives as long as the site."""
    return min(pid for pid, command in stack.processes().items() if PARTS[part] in command)


def weigh(pid: int) -> Weight:
    with open(f"/proc/{pid}/statm") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / _TICKS
    return Weight(memory_bytes(pid), resident, len(os.listdir(f"/proc/{pid}/fd")), cpu)


def busy(pids: dict[str, int], seconds: float) -> dict[str, float]:
    """The share of one processor that each takes while nobody asks for anything, in percent."""
    before = {part: weigh(pid).cpu for part, pid in pids.items()}
    time.sleep(seconds)
    return {part: (weigh(pid).cpu - before[part]) / seconds * 100 for part, pid in pids.items()}
