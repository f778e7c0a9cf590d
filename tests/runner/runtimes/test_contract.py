"""What every runtime promises, tried on each of them."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from hosting.runner.placement import Limits
from hosting.runner.runtimes.base import LaunchFailed, LaunchSpec, Runtime
from tests.runner.runtimes.conftest import READ_ONLY, RUNTIMES, Launch

pytestmark = pytest.mark.parametrize("kind", list(RUNTIMES))


def is_gone(path: str) -> bool:
    return not Path(path).exists()


async def test_it_says_that_it_is_able(runtime: Runtime) -> None:
    verdict = await runtime.check()
    assert verdict.is_able, verdict.words


async def test_started_process_answers_on_its_pipes(launch: Launch) -> None:
    probe = await launch()
    assert await probe.ask("say", "to stderr") is True
    assert await probe.line(probe.process.stderr) == "to stderr\n"
    assert probe.process.poll() is None


async def test_environment_is_the_given_one_and_nothing_of_the_hosts(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST_SECRET", "hunter2")
    probe = await launch(env={"GIVEN": "a=b c", "PATH": "/usr/bin:/bin"})
    environment = await probe.ask("environ")
    assert environment["GIVEN"] == "a=b c"
    assert environment["PATH"] == "/usr/bin:/bin"
    assert "HOST_SECRET" not in environment


async def test_secret_files_are_its_own_and_go_with_it(launch: Launch, tmp_path: Path) -> None:
    """Issue 8: a setting given as a file. In no kept folder, in no variable, and readable by nobody else."""
    home, files = tmp_path / "home", {"KEY_FILE": "first line\nsecond line\n", "CERTIFICATE": "é" * 4000}
    home.mkdir()
    probe, other = await launch(files=files, home=home), await launch(files={"KEY_FILE": "another one's"})
    environment = await probe.ask("environ")
    for name, content in files.items():
        path = environment[name]
        assert (await probe.ask("read", path)).startswith(content[:2000]) and not Path(path).is_relative_to(home)
        assert await probe.ask("owned", path) == ["0o600", True]
        assert await probe.ask("owned", os.path.dirname(path)) in (["0o700", True], ["0o777", False], ["0o777", True])
    assert not any("line" in value for value in environment.values())
    assert await other.ask("read", (await other.ask("environ"))["KEY_FILE"]) == "another one's"
    assert await probe.ask("listing", "/proc/self/fd") == ["0", "1", "2", "3"], "the fourth is the listing's own"
    await probe.process.stop(5)
    assert is_gone(environment["KEY_FILE"]) and os.listdir(home) == []


async def test_a_file_is_named_like_a_variable(runtime: Runtime) -> None:
    for name in ("../KEY", "a/b", "", "x y"):
        with pytest.raises(LaunchFailed, match="can't be the name"):
            await runtime.start(LaunchSpec("n", ["/bin/true"], files={name: "x"}))


async def test_only_the_three_pipes_are_handed_over(launch: Launch) -> None:
    stray = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(stray, True)
    try:
        probe = await launch()
        # the fourth is the listing's own
        assert await probe.ask("listing", "/proc/self/fd") == ["0", "1", "2", "3"]
    finally:
        os.close(stray)


async def test_working_folder_is_its_writable_home(launch: Launch) -> None:
    probe = await launch()
    home = (await probe.ask("environ"))["HOME"]
    assert (await probe.ask("whoami"))[2] == home
    assert await probe.ask("write", f"{home}/file", 10) is True


async def test_given_home_keeps_its_files(launch: Launch, tmp_path: Path) -> None:
    for turn in range(2):
        probe = await launch(home=tmp_path)
        assert await probe.ask("listing", ".") == ([] if turn == 0 else ["kept"])
        assert await probe.ask("write", "kept", 10) is True
        await probe.process.stop(1)


async def test_end_of_input_ends_a_polite_server(launch: Launch) -> None:
    probe = await launch()
    ended = await probe.process.stop(60)
    assert (ended.code, ended.signal, ended.reason) == (0, 0, "stopped")
    assert probe.process.poll() == ended == await probe.process.wait() == await probe.process.stop(1)


async def test_sigterm_follows_where_end_of_input_is_not_enough(launch: Launch) -> None:
    probe = await launch()
    await probe.ask("stay")
    ended = await probe.process.stop(6)
    assert (ended.code, ended.signal) == (128 + signal.SIGTERM, signal.SIGTERM)


async def test_server_that_ignores_sigterm_is_ended_when_the_grace_is_over(launch: Launch) -> None:
    probe = await launch()
    await probe.ask("stay")
    await probe.ask("ignore_term")
    async with asyncio.timeout(60):
        ended = await probe.process.stop(0.4)
    assert ended.signal == signal.SIGKILL
    assert "did not stop within 0.4 s" in ended.reason


async def test_exit_code_is_told(launch: Launch) -> None:
    probe = await launch()
    probe.tell("leave", 3)
    ended = await probe.process.wait()
    assert (ended.code, ended.signal, ended.reason) == (3, 0, "exited with code 3")


async def test_output_can_be_read_after_the_end(launch: Launch) -> None:
    probe = await launch("/bin/sh", "-c", "echo last words")
    await probe.process.wait()
    assert os.read(probe.process.stdout, 100) == b"last words\n"
    assert os.read(probe.process.stdout, 100) == b""


async def test_signal_is_told_by_its_name(launch: Launch) -> None:
    probe = await launch("/bin/sh", "-c", "kill -SEGV $$")
    ended = await probe.process.wait()
    assert (ended.signal, ended.reason) == (signal.SIGSEGV, "ended by SIGSEGV")


async def test_usage_counts_what_is_inside(launch: Launch) -> None:
    probe = await launch()
    await probe.ask("allocate", 32)
    await probe.ask("fork", 3)
    usage = await probe.usage()
    assert usage.processes == 4
    assert 32 * 2**20 < usage.memory_bytes < 100 * 2**20
    assert usage.cpu_seconds > 0
    assert usage.limit_events == []


async def test_memory_limit_ends_it_by_name(launch: Launch) -> None:
    probe = await launch(limits=Limits(memory_bytes=64 * 2**20))
    probe.tell("allocate", 1024)
    ended = await probe.process.wait()
    assert ended.reason == "memory limit of 64 MB reached"


async def test_cpu_limit_ends_it_by_name(launch: Launch) -> None:
    probe = await launch(limits=Limits(cpu_seconds=1))
    probe.tell("spin")
    ended = await probe.process.wait()
    assert ended.reason == "CPU limit of 1 s reached"


async def test_open_file_limit_holds_and_is_named(launch: Launch) -> None:
    probe = await launch(limits=Limits(open_files=20))
    assert await probe.ask("open_files", 40) == [17, "EMFILE"]
    assert (await probe.usage()).limit_events == ["open file limit of 20 reached"]


async def test_one_file_can_not_outgrow_the_disk_limit(launch: Launch) -> None:
    probe = await launch(limits=Limits(disk_bytes=2**20))
    assert await probe.ask("write", "big", 4 * 2**20) in ("EFBIG", "ENOSPC")


async def test_program_that_is_missing_is_told(runtime: Runtime, launch: Launch) -> None:
    try:
        probe = await launch("/nowhere/server")
    except LaunchFailed as error:
        assert "/nowhere/server" in str(error)
    else:
        assert (await probe.process.wait()).code == 127
        assert b"/nowhere/server: not found" in os.read(probe.process.stderr, 1000)


async def test_grandchildren_end_with_it(launch: Launch) -> None:
    """The reader of a pipe sees its end only when its last holder is gone."""
    probe = await launch("/bin/sh", "-c", "sleep 600 & sleep 600 & echo two; exec sleep 600")
    await probe.line(probe.process.stdout)
    assert (await probe.usage()).processes == 3
    await probe.process.stop(0)
    os.set_blocking(probe.process.stdout, True)
    assert await asyncio.wait_for(asyncio.to_thread(os.read, probe.process.stdout, 10), 60) == b""


def _descriptors() -> set[tuple[str, str]]:
    """Open ones, each with what it leads to. Others of this process, as of earlier tests, may be closed at any time."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found.add((name, os.readlink(f"/proc/self/fd/{name}")))
    return found


async def test_cancelled_start_leaves_nothing(runtime: Runtime) -> None:
    def children() -> set[str]:
        return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())

    descriptors, processes = _descriptors(), children()
    starting = asyncio.create_task(runtime.start(LaunchSpec("cancelled", ["/bin/sleep", "600"], read_only=READ_ONLY)))
    await asyncio.sleep(0)
    starting.cancel()
    try:
        process = await starting
    except asyncio.CancelledError:
        pass
    else:  # the plain way starts without waiting
        await process.stop(0)
        process.close()
    assert not children() - processes
    assert len(_descriptors() - descriptors) <= 1  # a user's namespace is kept for the next one


def _is_soon_gone(word: str) -> bool:
    """Whether no process has this word in its command. What was killed takes a moment to be gone."""
    end = time.monotonic() + 60
    while (runs := _runs(word)) and time.monotonic() < end:
        time.sleep(0.02)
    return not runs


def _runs(word: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if word.encode() in path.read_bytes():
                return True
    return False


async def test_starts_that_are_cancelled_at_any_moment_leave_no_process(runtime: Runtime) -> None:
    """Also while bubblewrap's child does not yet die with it."""
    argv = ["/bin/sleep", f"600.{secrets.randbelow(10**9)}"]

    async def one(number: int) -> None:
        try:
            async with asyncio.timeout(number * 0.0005):
                process = await runtime.start(LaunchSpec(f"cancelled-{number}", argv, read_only=READ_ONLY))
        except TimeoutError:
            return
        await process.stop(0)
        process.close()

    for number in range(1, 50):
        await one(number)
    assert await asyncio.to_thread(_is_soon_gone, argv[1])


async def test_many_starts_leak_no_descriptors(runtime: Runtime) -> None:
    async def one(number: int) -> None:
        process = await runtime.start(LaunchSpec(f"n{number}", ["/bin/true"]))
        assert (await process.wait()).code == 0
        process.close()

    await one(0)
    before = _descriptors()
    for number in range(5):
        await one(number)
    assert not _descriptors() - before


async def test_zero_means_no_limit(launch: Launch) -> None:
    none = Limits(memory_bytes=0, processes=0, open_files=0, cpu_seconds=0, disk_bytes=0)
    probe = await launch(limits=none)
    assert await probe.ask("allocate", 16) == 16
    assert await probe.ask("fork", 70) == [70, ""]
    assert await probe.ask("write", "big", 2 * 2**20) is True
    assert (await probe.usage()).limit_events == []


async def test_many_start_at_once(launch: Launch) -> None:
    probes = await asyncio.gather(*(launch(instance=f"at-once-{number}") for number in range(8)))
    assert await asyncio.gather(*(probe.ask("say", "here") for probe in probes)) == [True] * 8
    assert len({probe.process.pid for probe in probes}) == 8


async def test_over_execv_instances_live_on_and_an_end_in_between_is_told(kind: str) -> None:
    script = Path(__file__).parent / "handing.py"
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), kind, "-1", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(120):
        said, complained = await process.communicate()
    assert process.returncode == 0, complained.decode()
    assert json.loads(said) == {
        "pids": True, "dying": "exited with code 5", "said": True, "memory": True, "distinct": True,
        "file": "of its own", "file_left": False,
        "stopped": "stopped", "left": "",
    }  # fmt: skip


async def test_what_it_closes_is_seen_to_be_closed(launch: Launch) -> None:
    probe = await launch("/bin/sh", "-c", "exec >&-; sleep 600")
    os.set_blocking(probe.process.stdout, True)
    assert await asyncio.wait_for(asyncio.to_thread(os.read, probe.process.stdout, 10), 60) == b""
    assert probe.process.poll() is None
