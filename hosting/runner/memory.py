"""How much memory the instances of this runner may use together: the least of its control groups' limits and of what
the machine has left. Linux: proc(5), cgroups(7)."""

from __future__ import annotations

import time
from pathlib import Path

_PROC = Path("/proc")
_CGROUP = Path("/sys/fs/cgroup")
KEPT_SECONDS = 1.0

_known: tuple[float, int] = (-KEPT_SECONDS, 0)


def memory_limit(used: int) -> int:
    """In bytes; `used` is what they use now, which is no longer available. 0: it can't be told."""
    global _known
    now = time.monotonic()
    if now - _known[0] > KEPT_SECONDS:
        _known = (now, _available())
    return used + _known[1] if _known[1] else 0


def _available() -> int:
    left = _machine()
    for limit, current in _groups():
        left = min(left, max(0, limit - current)) if left else max(0, limit - current)
    return left


def _machine() -> int:
    try:
        for line in (_PROC / "meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _groups() -> list[tuple[int, int]]:
    """(limit, current) of every limited group that this process is in, from its own up to the root."""
    found = []
    try:
        lines = (_PROC / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        base, names = (
            (_CGROUP, ("memory.max", "memory.current"))
            if not controllers
            else (_CGROUP / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes"))
        )
        folder = base / path.lstrip("/")
        while True:
            limit, current = (_number(folder / name) for name in names)
            if limit and limit < 2**60:  # version 1 writes "no limit" as a huge number
                found.append((limit, current))
            if folder == base or base not in folder.parents:
                break
            folder = folder.parent
    return found


def _number(path: Path) -> int:
    try:
        text = path.read_text().strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0
