"""Several builders, killed builders, damaged environments, removal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hosting import environments
from hosting.environments.store import Store
from hosting.kinds import parse
from tests.packages.local_index import LocalIndex

ROOT = Path(__file__).parents[3]
BUILDER = Path(__file__).with_name("builder.py")
WAIT_SECONDS = 60


@pytest.fixture
def thing(index: LocalIndex) -> str:
    index.add_wheel("thing", "1.0", {"it.py": "def main():\n    print('it')\n"}, scripts={"thing": "it:main"})
    return "pypi:thing"


def start_builder(store: Path, reference: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(BUILDER), str(store), reference],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
        stdout=subprocess.PIPE,
        text=True,
    )


def build(reference: str, store: Path) -> environments.Built:
    return environments.build(parse(reference), store, lambda text, part: None)


def test_two_builders_at_once_install_once(index: LocalIndex, thing: str, store: Path) -> None:
    index.hold("thing")
    first = start_builder(store, thing)
    assert index.is_asked.wait(WAIT_SECONDS)
    second = start_builder(store, thing)
    waiting = _read_until(second, "waiting for another build of the same packages")
    index.released.set()
    lines = [first.communicate(timeout=WAIT_SECONDS)[0], waiting + second.communicate(timeout=WAIT_SECONDS)[0]]
    assert first.returncode == second.returncode == 0
    assert len({output.split()[-1] for output in lines}) == 1
    assert "installing" not in lines[1]
    assert len(environments.kept(store)) == 1
    assert not list((store / ".building").iterdir())


def test_killed_builder_leaves_nothing_half_done(index: LocalIndex, thing: str, store: Path) -> None:
    index.hold("thing")
    killed = start_builder(store, thing)
    assert index.is_asked.wait(WAIT_SECONDS)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=WAIT_SECONDS)
    assert not environments.kept(store)
    left = list((store / ".building").iterdir())
    assert left
    # The package tool died with it, so nobody has to wait for its end.
    index.released.set()
    second = start_builder(store, thing)
    digest = second.communicate(timeout=WAIT_SECONDS)[0].split()[-1]
    assert environments.find(digest, store) is not None
    assert not list((store / ".building").iterdir())


def test_sweep_deletes_what_dead_builders_left(store: Path) -> None:
    place = Store.at(store)
    folder = place.new_folder("a" * 64)
    (folder / "file").write_text("x")
    (place.trash / "gone").mkdir()
    with place.scratch() as scratch:  # somebody resolves right now
        assert environments.sweep(store) == 2
        assert scratch.exists()
    assert not folder.exists()


def test_second_build_finds_the_first(index: LocalIndex, thing: str, store: Path) -> None:
    first = build(thing, store)
    index.downloads.clear()
    second = build(thing, store)
    assert second.digest == first.digest and second.argv == first.argv
    assert not index.downloads
    assert environments.kept(store) == {first.digest: first.size_bytes}
    assert first.size_bytes > 1000


def test_whole_environment_comes_without_the_index(thing: str, index: LocalIndex, store: Path) -> None:
    built = build(thing, store)
    index.simple.clear()
    assert environments.find(built.digest, store) == environments.find(built.digest, store)
    assert environments.find("0" * 64, store) is None
    with pytest.raises(ValueError, match="64"):
        environments.find("../etc", store)


@pytest.mark.parametrize("damage", ["file gone", "file cut", "marker gone", "marker cut", "interpreter gone"])
def test_damaged_environment_is_not_found_and_built_anew(thing: str, store: Path, damage: str) -> None:
    built = build(thing, store)
    path = Path(built.path)
    installed = next(path.rglob("it.py"))
    for writable in (path, installed.parent, installed, path / "environment.json", path / "venv/bin"):
        writable.chmod(0o755)
    if damage == "file gone":
        installed.unlink()
    elif damage == "file cut":
        # Another file in its place, because this one is hard-linked from the cache.
        installed.unlink()
        installed.write_text("")
    elif damage == "marker gone":
        (path / "environment.json").unlink()
    elif damage == "marker cut":
        os.truncate(path / "environment.json", 100)
    else:
        (path / "venv/bin/python").unlink()
        (path / "venv/bin/python").symlink_to("/nowhere/python")
    assert environments.find(built.digest, store) is None
    again = build(thing, store)
    assert again.digest == built.digest
    assert subprocess.run(again.argv, env=again.env, capture_output=True, check=True).stdout == b"it\n"
    assert not list((store / ".trash").iterdir())


def test_removed_environment_is_gone(thing: str, store: Path) -> None:
    built = build(thing, store)
    assert environments.remove(built.digest, store)
    assert not Path(built.path).exists() and not environments.kept(store)
    assert not environments.remove(built.digest, store)


def test_lock_builds_the_same_set_elsewhere(index: LocalIndex, thing: str, store: Path, tmp_path: Path) -> None:
    built = build(thing, store)
    index.add_wheel("thing", "2.0", {"it.py": ""}, scripts={"thing": "it:main"})
    locked = environments.locked(built.digest, store)
    assert locked is not None
    copy = environments.install(locked, tmp_path / "elsewhere", lambda text, part: None)
    assert (copy.digest, copy.resolved) == (built.digest, "thing 1.0")
    assert subprocess.run(copy.argv, env=copy.env, capture_output=True, check=True).stdout == b"it\n"


def test_environment_for_another_platform_is_refused(thing: str, store: Path, tmp_path: Path) -> None:
    built = build(thing, store)
    found = environments.locked(built.digest, store)
    assert found is not None
    foreign = environments.Locked(**{**vars(found), "runtime": "cpython-2.7.0"})
    with pytest.raises(environments.BuildFailed, match=r"resolved for cpython-2\.7\.0"):
        environments.install(foreign, tmp_path / "elsewhere", lambda text, part: None)


def test_full_or_forbidden_disk_is_said_in_words(thing: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(environments.BuildFailed, match="couldn't be stored") as caught:
        build(thing, tmp_path / "file" / "store")
    assert caught.value.is_transient


def _read_until(process: subprocess.Popen[str], text: str) -> str:
    """Everything printed up to the line with this text. The process is ended if it doesn't come."""
    assert process.stdout
    timer = threading.Timer(WAIT_SECONDS, process.kill)
    timer.start()
    try:
        seen = ""
        for line in process.stdout:
            seen += line
            if text in line:
                return seen
        raise AssertionError(f"never printed {text!r}: {seen}")
    finally:
        timer.cancel()
