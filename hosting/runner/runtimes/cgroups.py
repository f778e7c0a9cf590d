"""Control groups of instances, version 2 or 1, below the group that the runner itself is in.

Staying below the own group keeps whatever limit somebody set for the runner in force. Where neither version can be
written, `detect` answers None and the runtime watches the processes itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hosting.runner.placement import Limits

# What the sandbox itself needs of a process limit: bubblewrap outside and its first process inside.
OWN_PROCESSES = 2
PREFIX = "slipway-"


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _number(path: Path) -> int:
    text = _read(path).strip()
    return int(text) if text.isdigit() else 0


def _field(path: Path, name: str) -> int:
    """One value of a flat keyed file such as memory.stat; 0 when it is not there."""
    for line in _read(path).splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


@dataclass(frozen=True)
class Group:
    """One instance's group: a folder per controller, which in version 2 are all the same."""

    version: int
    memory: Path | None
    pids: Path | None
    cpu: Path | None

    @property
    def folders(self) -> list[Path]:
        return list(dict.fromkeys(path for path in (self.memory, self.pids, self.cpu) if path is not None))

    @property
    def entrances(self) -> list[str]:
        """Files that a process writes 0 into to enter."""
        return [str(folder / "cgroup.procs") for folder in self.folders]

    def memory_bytes(self) -> int:
        """Without file pages that the kernel would drop before it ends anything."""
        if self.memory is None:
            return 0
        if self.version == 2:
            used, idle = "memory.current", "inactive_file"
        else:
            used, idle = "memory.usage_in_bytes", "total_inactive_file"
        return max(0, _number(self.memory / used) - _field(self.memory / "memory.stat", idle))

    def processes(self) -> int:
        return max(0, _number(self.pids / "pids.current") - OWN_PROCESSES) if self.pids is not None else 0

    def cpu_seconds(self) -> float:
        if self.cpu is None:
            return 0.0
        if self.version == 2:
            return _field(self.cpu / "cpu.stat", "usage_usec") / 1e6
        return _number(self.cpu / "cpuacct.usage") / 1e9

    def memory_kills(self) -> int:
        if self.memory is None:
            return 0
        return _field(self.memory / ("memory.events" if self.version == 2 else "memory.oom_control"), "oom_kill")

    def refused_forks(self) -> int:
        return _field(self.pids / "pids.events", "max") if self.pids is not None else 0

    def remove(self) -> bool:
        """False while a process is still in it."""
        for folder in self.folders:
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                return False
        return True


@dataclass
class Groups:
    """The runner's own groups, and the instances' below them."""

    version: int
    bases: dict[str, Path]  # by controller
    _leftover: list[Group] = field(default_factory=list)

    @property
    def words(self) -> str:
        return f"cgroup v{self.version} ({', '.join(name for name in ('memory', 'pids') if name in self.bases)})"

    @property
    def has_memory(self) -> bool:
        return "memory" in self.bases

    @property
    def has_pids(self) -> bool:
        return "pids" in self.bases

    def create(self, instance: str, limits: Limits) -> Group:
        """Raises OSError."""
        self.sweep()
        folders = {name: base / instance for name, base in self.bases.items()}
        group = Group(self.version, folders.get("memory"), folders.get("pids"), folders.get("cpu"))
        try:
            for folder in group.folders:
                folder.mkdir()
            self._limit(group, limits)
        except OSError:
            group.remove()
            raise
        return group

    def _limit(self, group: Group, limits: Limits) -> None:
        if group.memory is not None and limits.memory_bytes:
            text = str(limits.memory_bytes)
            if self.version == 2:
                (group.memory / "memory.max").write_text(text)
                _try_write(group.memory / "memory.swap.max", "0")
                _try_write(group.memory / "memory.oom.group", "1")
            else:
                (group.memory / "memory.limit_in_bytes").write_text(text)
                _try_write(group.memory / "memory.memsw.limit_in_bytes", text)
        if group.pids is not None and limits.processes:
            (group.pids / "pids.max").write_text(str(limits.processes + OWN_PROCESSES))

    def discard(self, group: Group) -> None:
        if not group.remove():
            self._leftover.append(group)

    def sweep(self) -> None:
        """Remove what could not be removed when its last process had not quite gone."""
        self._leftover = [group for group in self._leftover if not group.remove()]

    def take_over(self, living: Iterable[Group]) -> None:
        """After `execv`, under the same name: what nobody lives in any more is left over."""
        inhabited = {folder for group in living for folder in group.folders}
        for base in set(self.bases.values()):
            for folder in base.iterdir():
                if folder.is_dir() and folder not in inhabited:
                    self._leftover.append(Group(self.version, folder, None, None))

    def close(self) -> None:
        self.sweep()
        for base in set(self.bases.values()):
            with suppress(OSError):
                base.rmdir()


def _try_write(path: Path, text: str) -> bool:
    try:
        path.write_text(text)
    except OSError:  # swap accounting and the like may be off
        return False
    return True


def _mounts(proc: Path) -> Iterable[tuple[str, str, Path, set[str]]]:
    """(type, root, mount point, options) of each control group file system; see proc(5), mountinfo."""
    for line in _read(proc / "self" / "mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            fields = left.split(" ")
            yield kind, fields[3], Path(fields[4]), set(options.split(","))


def _own_groups(proc: Path) -> dict[str, str]:
    """Own group by controller; version 2's is under the empty name."""
    found = {}
    for line in _read(proc / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        for name in controllers.split(","):
            found[name] = path
    return found


def _folder(point: Path, root: str, own: str) -> Path:
    """A mount may show only a part of the tree, as in a container; the own group is then relative to it."""
    relative = os.path.relpath(own, root)
    return point if relative.startswith("..") else point / relative


def _mark(proc: Path) -> str:
    """The runner's mark: its pid and start time, which stay over execv and are never used twice together."""
    return f"{os.getpid()}-{_started(proc, os.getpid())}"


def _started(proc: Path, pid: int) -> str:
    return (_read(proc / str(pid) / "stat").rpartition(")")[2].split() or ["0"] * 20)[19]


def _clear_stale(parent: Path, proc: Path) -> None:
    """Remove groups of runners that are gone, here and in the groups beside: a runner that was killed could not, and
    its next start may be from another session. Only empty groups can be removed at all."""
    for base in [*parent.glob(f"{PREFIX}*-*"), *parent.parent.glob(f"*/{PREFIX}*-*")]:
        pid, _, started = base.name.removeprefix(PREFIX).partition("-")
        if not pid.isdigit() or _started(proc, int(pid)) == started:
            continue
        with suppress(OSError):
            for folder in [path for path in base.iterdir() if path.is_dir()]:
                folder.rmdir()
            base.rmdir()


def _detect_v2(proc: Path) -> Groups | None:
    for kind, root, point, _ in _mounts(proc):
        if kind != "cgroup2":
            continue
        own = _folder(point, root, _own_groups(proc).get("", "/"))
        if not {"memory", "pids"} <= set(_read(own / "cgroup.controllers").split()):
            return None
        base = own / f"{PREFIX}{_mark(proc)}"
        # A group that has processes can't give controllers to groups below it ("no internal processes"), unless it is
        # the root. A sibling below a parent that already gives them needs no such thing: the usual case with systemd.
        if not _try_write(own / "cgroup.subtree_control", "+memory +pids"):
            given = set(_read(own.parent / "cgroup.subtree_control").split())
            if own != point and {"memory", "pids"} <= given:
                base = own.parent / base.name
            elif not _step_aside(own, proc):
                return None
        try:
            _clear_stale(base.parent, proc)
            base.mkdir(exist_ok=True)
        except OSError:
            return None
        if not _try_write(base / "cgroup.subtree_control", "+memory +pids"):
            with suppress(OSError):
                base.rmdir()
            return None
        return Groups(2, dict.fromkeys(("memory", "pids", "cpu"), base))
    return None


def _step_aside(own: Path, proc: Path) -> bool:
    """Move the runner into a group of its own below `own`, so that `own` may give its controllers away. Only where
    it is alone there: other processes are not ours to move."""
    if _read(own / "cgroup.procs").split() != [str(os.getpid())]:
        return False
    leaf = own / "slipway-runner"
    try:
        leaf.mkdir(exist_ok=True)
    except OSError:
        return False
    if not _try_write(leaf / "cgroup.procs", str(os.getpid())):
        return False
    return _try_write(own / "cgroup.subtree_control", "+memory +pids")


def _detect_v1(proc: Path) -> Groups | None:
    own = _own_groups(proc)
    bases: dict[str, Path] = {}
    for kind, root, point, options in _mounts(proc):
        for controller, name in (("memory", "memory"), ("pids", "pids"), ("cpuacct", "cpu")):
            if kind != "cgroup" or controller not in options or controller not in own:
                continue
            base = _folder(point, root, own[controller]) / f"{PREFIX}{_mark(proc)}"
            try:
                _clear_stale(base.parent, proc)
                base.mkdir(exist_ok=True)
            except OSError:
                continue
            bases[name] = base
    if "memory" in bases or "pids" in bases:
        return Groups(1, bases)
    for base in set(bases.values()):
        with suppress(OSError):
            base.rmdir()
    return None


def detect(proc: Path = Path("/proc")) -> Groups | None:
    """Version 2, else version 1, else None. Creates the runner's own group."""
    return _detect_v2(proc) or _detect_v1(proc)
