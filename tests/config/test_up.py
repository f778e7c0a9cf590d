"""`manage.py up`: readiness, restarts, refusals, and an end that leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.launch.processes import command_line
from tests.stack import Stack

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Stack]:
    own = Stack(tmp_path / "home")
    yield own
    own.stop()


def gone(pids: dict[int, str], seconds: float = 5.0) -> list[str]:
    """What is left of these processes after waiting for their end."""
    end = time.monotonic() + seconds
    while left := [f"{pid} {command}" for pid, command in pids.items() if command_line(pid) == command]:
        if time.monotonic() > end:
            return left
        time.sleep(0.05)
    return []


def eventually(question: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(0.1)


def test_a_site_starts_stops_and_starts_again_with_its_data(site: Stack, record_property: Callable[..., None]) -> None:
    site.start()
    link = site.expect("/join/")
    assert link.split()[-1].startswith(f"{site.url}/join/")
    assert [line for line in site.lines if "is ready at" in line] == [f"Slipway is ready at {site.url}"]
    assert site.get("/healthz") == (200, b"ok\n")
    token = link.rsplit("/", 1)[1]
    site.get(f"/join/{token}")

    parts = site.processes()
    began = time.monotonic()
    assert site.stop() == 0
    assert time.monotonic() - began < 10
    assert gone(parts, seconds=0.5) == []
    for log in (site.home / "logs").iterdir():
        assert token not in log.read_text(errors="replace"), log
    key = (site.home / "secrets" / "signing_key.pem").read_bytes()

    site.start()
    record_property("second_start_seconds", site.start_seconds)
    print(f"second start: {site.start_seconds:.1f} s")
    site.stop()
    assert not [line for line in site.lines if "/join/" in line], "the link is shown the first time only"
    assert (site.home / "secrets" / "signing_key.pem").read_bytes() == key


def test_ctrl_c_stops_everything(site: Stack) -> None:
    parts = site.start().processes()
    assert site.stop(signal.SIGINT, seconds=10) == 0
    assert gone(parts, seconds=0.5) == []


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs the parent-death signal of Linux")
def test_parts_die_with_a_killed_supervisor_and_the_site_comes_up_again(site: Stack) -> None:
    parts = site.start().processes()
    os.kill(site.pid, signal.SIGKILL)
    assert gone(parts) == []
    site.wait(5)
    site.start()
    assert site.get("/healthz")[0] == 200


def test_a_dead_part_is_started_again_and_the_log_says_why(site: Stack) -> None:
    site.start()
    for part, word in (("worker", "manage.py worker"), ("web", "manage.py web"), ("valkey", "valkey-server")):
        pid = site.part(word)
        os.kill(pid, signal.SIGKILL)
        site.expect(f"{part} was ended by signal 9 (SIGKILL); starting it again", 10)
        site.expect(f"{part} is ready again", 30)
        assert site.part(word) != pid
    eventually(lambda: site.get("/healthz")[0] == 200)


def test_postgres_comes_back_and_the_site_with_it(site: Stack) -> None:
    site.start()
    os.kill(site.part("/postgres -D"), signal.SIGKILL)
    site.expect("postgres is ready again", 30)
    eventually(lambda: site.get("/accounts/login/")[0] == 200)


def test_a_port_in_use_is_named(site: Stack) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", site.port))
        other.listen()
        site.launch()
        site.expect(f"Port {site.port} on 127.0.0.1 is in use by another program", 20)
        assert site.wait(10) != 0
    assert not any("Traceback" in line for line in site.lines)


def test_a_second_site_on_the_same_data_is_refused(site: Stack, tmp_path: Path) -> None:
    site.start()
    second = Stack(site.home)
    second.launch()
    said = second.expect("already runs on the data folder", 20)
    assert f"process {site.pid}" in said
    assert second.wait(10) != 0
    assert site.get("/healthz")[0] == 200


def test_a_part_that_cannot_start_ends_it_with_the_reason(site: Stack) -> None:
    (site.home / "beat").mkdir(parents=True)
    (site.home / "beat" / "schedule.dat").mkdir()  # what beat wants to be a file
    (site.home / "beat" / "schedule.db").mkdir()
    (site.home / "beat" / "schedule").mkdir()
    site.launch()
    said = site.expect("Slipway could not start. beat", 60)
    assert "exited with code" in said
    assert site.wait(10) != 0
    assert not any(line.startswith("Traceback") for line in site.lines)


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    site = Stack(tmp_path / "home", DATABASE_URL="postgresql://nobody:hidden-word@127.0.0.1:1/none")
    site.launch()
    site.expect("PostgreSQL at DATABASE_URL does not answer", 30)
    assert site.wait(10) != 0
    assert "hidden-word" not in "\n".join(site.lines)


def test_a_stale_pid_of_another_process_does_not_stop_postgres(site: Stack) -> None:
    site.start()
    site.stop()
    (site.home / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{site.home}/postgres\n")
    site.start()
