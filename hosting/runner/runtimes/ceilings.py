"""The sentences that name a limit, the kernel's own limits of a process, and why an instance ended. Pure."""

from __future__ import annotations

import resource
import signal as signals
from collections.abc import Sequence

from hosting.runner.placement import Limits

CPU_GRACE_SECONDS = 2  # between SIGXCPU, which may be handled, and SIGKILL
DATA_MARGIN_BYTES = 512 * 1024 * 1024


def size_words(octets: int) -> str:
    return f"{octets // 2**20} MB" if octets >= 2**20 else f"{octets // 1024} KB"


def memory_words(limits: Limits) -> str:
    return f"memory limit of {size_words(limits.memory_bytes)} reached"


def process_words(limits: Limits) -> str:
    return f"process limit of {limits.processes} reached"


def cpu_words(limits: Limits) -> str:
    return f"CPU limit of {limits.cpu_seconds} s reached"


def file_words(limits: Limits) -> str:
    return f"open file limit of {limits.open_files} reached"


def disk_words(limits: Limits, place: str) -> str:
    return f"disk limit of {size_words(limits.disk_bytes)} for {place} reached"


def rlimits(limits: Limits, *, spare_processes: int | None, cap_data: bool) -> list[tuple[int, tuple[int, int]]]:
    """What to give prlimit(2).

    `spare_processes` come on top of the limit, which counts all of a user; None leaves them uncounted. `cap_data`
    bounds a burst between two looks where no group bounds memory; stacks and heaps count in full there, so it has a
    margin.
    """
    found = [(resource.RLIMIT_CORE, (0, 0))]
    if limits.cpu_seconds:
        found.append((resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + CPU_GRACE_SECONDS)))
    if limits.open_files:
        found.append((resource.RLIMIT_NOFILE, (limits.open_files, limits.open_files)))
    if limits.disk_bytes:
        found.append((resource.RLIMIT_FSIZE, (limits.disk_bytes, limits.disk_bytes)))
    if limits.processes and spare_processes is not None:
        most = limits.processes + spare_processes
        found.append((resource.RLIMIT_NPROC, (most, most)))
    if limits.memory_bytes and cap_data:
        ceiling = limits.memory_bytes + DATA_MARGIN_BYTES
        found.append((resource.RLIMIT_DATA, (ceiling, ceiling)))
    return found


def limit_behind(signal: int, cpu_seconds: float, limits: Limits, events: Sequence[str]) -> str:
    """The limit that ended an instance by this signal, as a sentence, or nothing."""
    memory = memory_words(limits)
    if signal == signals.SIGXCPU:
        return cpu_words(limits)
    if signal == signals.SIGXFSZ:
        return disk_words(limits, "one file")
    if signal == signals.SIGKILL and memory in events:
        return memory
    if signal == signals.SIGKILL and limits.cpu_seconds and cpu_seconds >= limits.cpu_seconds:
        return cpu_words(limits)
    return ""


def exit_words(code: int, signal: int, limits: Limits, events: Sequence[str], cause: str) -> str:
    """`cause` is what the limit or the runner did, and then stands alone."""
    if cause:
        return cause
    if signal:
        try:
            name = signals.Signals(signal).name
        except ValueError:
            name = f"signal {signal}"
        words = f"ended by {name}"
    else:
        words = f"exited with code {code}"
    if (code or signal) and events:
        words += "; " + "; ".join(events)
    return words
