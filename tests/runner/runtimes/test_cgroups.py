"""Which control groups a runner finds, on trees of files like those of other machines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hosting.runner.placement import Limits
from hosting.runner.runtimes import cgroups

LIMITS = Limits(memory_bytes=64 * 2**20, processes=10)


class Machine:
    """A /proc and a control group tree in a folder. What the kernel does when a group is made, `make` does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.proc = folder / "proc"
        self.own = self.proc / "self"
        self.own.mkdir(parents=True)
        (self.proc / str(os.getpid())).mkdir()
        (self.proc / str(os.getpid()) / "stat").write_text(f"{os.getpid()} (a b) S " + "1 " * 18 + "777 0\n")
        (self.own / "mountinfo").write_text("20 1 0:5 / /proc rw - proc proc rw\n")
        (self.own / "cgroup").write_text("")

    def mount(self, version: int, name: str, own: str, root: str = "/") -> Path:
        point = self.folder / "cgroup" / (name or "unified")
        kind = "cgroup2" if version == 2 else "cgroup"
        with (self.own / "mountinfo").open("a") as file:
            file.write(f"30 20 0:30 {root} {point} rw,relatime shared:9 - {kind} {kind} rw,{name}\n")
        with (self.own / "cgroup").open("a") as file:
            file.write(f"{0 if version == 2 else 3}:{name}:{own}\n")
        return point

    def detect(self) -> cgroups.Groups | None:
        return cgroups.detect(self.proc)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def _group(folder: Path, controllers: str, given: str = "") -> Path:
    folder.mkdir(parents=True)
    (folder / "cgroup.controllers").write_text(controllers)
    (folder / "cgroup.subtree_control").write_text(given)
    (folder / "cgroup.procs").write_text("1\n2\n")
    return folder


def test_machine_without_groups_has_none(machine: Machine) -> None:
    assert machine.detect() is None


def test_version_2_is_used_where_it_has_both_controllers(machine: Machine) -> None:
    own = _group(machine.mount(2, "", "/slice/runner") / "slice" / "runner", "cpu memory pids")
    groups = machine.detect()
    assert groups is not None
    assert groups.words == "cgroup v2 (memory, pids)"
    base = own / f"slipway-{os.getpid()}-777"
    assert set(groups.bases.values()) == {base}
    group = groups.create("i1", LIMITS)
    assert group.entrances == [str(base / "i1" / "cgroup.procs")]
    assert (base / "i1" / "memory.max").read_text() == str(64 * 2**20)
    assert (base / "i1" / "memory.swap.max").read_text() == "0"
    assert (base / "i1" / "pids.max").read_text() == "12"


def test_version_2_beside_the_own_group_where_that_one_has_processes(machine: Machine) -> None:
    slice_ = _group(machine.mount(2, "", "/slice/session") / "slice", "memory pids", given="memory pids")
    own = _group(slice_ / "session", "memory pids")
    (own / "cgroup.subtree_control").unlink()
    (own / "cgroup.subtree_control").mkdir()  # can't be written: "no internal processes"
    groups = machine.detect()
    assert groups is not None
    assert groups.bases["memory"].parent == slice_


def test_version_2_without_controllers_gives_way_to_version_1(machine: Machine) -> None:
    _group(machine.mount(2, "", "/"), "hugetlb")
    memory = machine.mount(1, "memory", "/a") / "a"
    pids = machine.mount(1, "pids", "/")
    memory.mkdir(parents=True)
    pids.mkdir(parents=True)
    groups = machine.detect()
    assert groups is not None
    assert groups.words == "cgroup v1 (memory, pids)"
    group = groups.create("i1", LIMITS)
    assert group.folders == [path / f"slipway-{os.getpid()}-777" / "i1" for path in (memory, pids)]
    assert (group.folders[0] / "memory.limit_in_bytes").read_text() == str(64 * 2**20)
    assert (group.folders[1] / "pids.max").read_text() == "12"


def test_container_that_shows_only_its_own_part_is_understood(machine: Machine) -> None:
    point = machine.mount(1, "memory", "/docker/abc/inner", root="/docker/abc")
    (point / "inner").mkdir(parents=True)
    groups = machine.detect()
    assert groups is not None
    assert groups.bases["memory"].parent == point / "inner"
    assert groups.words == "cgroup v1 (memory)"
    assert not groups.has_pids


def test_groups_of_runners_that_are_gone_are_removed(machine: Machine) -> None:
    point = machine.mount(1, "memory", "/session-2")
    (point / "session-2").mkdir(parents=True)
    stale = [point / "session-2" / "slipway-999999999-5", point / "session-1" / f"slipway-{os.getpid()}-5"]
    for folder in stale:
        (folder / "i1").mkdir(parents=True)
    alive = point / "session-1" / f"slipway-{os.getpid()}-777"
    (alive / "i1").mkdir(parents=True)
    machine.detect()
    assert not any(folder.exists() for folder in stale)
    assert (alive / "i1").exists()


def test_group_that_is_still_in_use_is_removed_later(machine: Machine) -> None:
    machine.mount(1, "memory", "/").mkdir(parents=True)
    groups = machine.detect()
    assert groups is not None
    group = groups.create("i1", Limits(memory_bytes=0, processes=0))
    assert group.memory is not None
    straggler = group.memory / "straggler"
    straggler.mkdir()
    groups.discard(group)
    assert group.memory.exists()
    straggler.rmdir()
    groups.close()
    assert not group.memory.exists()
    assert not groups.bases["memory"].exists()


@pytest.mark.parametrize(
    ("version", "files", "expected"),
    [
        (2, {"memory.current": "5000", "memory.stat": "anon 1\ninactive_file 1000\n", "memory.events": "oom_kill 2"},
         (4000, 2)),
        (1, {"memory.usage_in_bytes": "5000", "memory.stat": "total_inactive_file 9000\n",
             "memory.oom_control": "under_oom 0\noom_kill 1\n"}, (0, 1)),
        (2, {}, (0, 0)),
    ],
)  # fmt: skip
def test_use_is_read(tmp_path: Path, version: int, files: dict[str, str], expected: tuple[int, int]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    group = cgroups.Group(version, tmp_path, None, None)
    assert (group.memory_bytes(), group.memory_kills()) == expected
