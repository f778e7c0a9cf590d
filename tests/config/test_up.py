"""`manage.py up`: readiness, restarts, refusals, and an end that leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from config.launch.processes import command_line
from tests.ordinary_user import ordinary_user
from tests.stack import ROOT, SECONDS, Stack


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Stack]:
    own = Stack(tmp_path / "home")
    yield own
    own.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A site that gets over what the tests do to it."""
    own = Stack(tmp_path_factory.mktemp("running"))
    try:
        yield own.start()
    finally:
        own.stop()


def gone(pids: dict[int, str], seconds: float = SECONDS) -> list[str]:
    """What is left of these processes after waiting for their end."""
    end = time.monotonic() + seconds
    while left := [f"{pid} {command}" for pid, command in pids.items() if command_line(pid) == command]:
        if time.monotonic() > end:
            return left
        time.sleep(0.05)
    return []


def eventually(question: Callable[[], bool], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):  # who is asked may just be starting, or ending
            if question():
                return
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(0.1)


def no_stack_trace(site: Stack) -> bool:
    return not any(line.startswith("Traceback") for line in site.lines)


def test_a_site_starts_stops_and_starts_again_with_its_data(site: Stack) -> None:
    site.start()
    link = site.expect("/join/").split()[-1]
    assert link.startswith(f"{site.url}/join/")
    assert [line for line in site.lines if "is ready" in line] == [f"Slipway is ready at {site.url}"]
    token = link.rsplit("/", 1)[1]
    assert site.get(f"/join/{token}")[0] == 200

    parts = site.processes()
    began = time.monotonic()
    assert site.stop() == 0
    assert time.monotonic() - began < 20  # it gives its parts 9 s in all; the rest is for a busy machine
    assert gone(parts, seconds=5) == []
    for log in (site.home / "logs").iterdir():
        assert token not in log.read_text(errors="replace"), log
    key = (site.home / "secrets" / "signing_key.pem").read_bytes()

    # As after a restart of the machine: the number in the file belongs to some other process by now.
    (site.home / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{site.home}/postgres\n")
    site.start()
    print(f"second start: {site.start_seconds:.1f} s")
    assert (site.home / "secrets" / "signing_key.pem").read_bytes() == key
    assert site.get(f"/join/{token}")[0] == 200, "the database is the same"
    assert site.stop(signal.SIGINT) == 0
    assert not [line for line in site.lines if "/join/" in line], "the link is shown the first time only"


def test_a_command_in_another_shell_says_the_address_of_the_site_that_runs(running: Stack) -> None:
    def manage(*words: str, **environment: str) -> tuple[str, str]:
        bare = {name: value for name, value in running.environment.items() if name != "PORT"}
        argv = [sys.executable, str(ROOT / "manage.py"), *words]
        done = subprocess.run(
            argv, env={**bare, **environment}, capture_output=True, text=True, timeout=SECONDS, check=True
        )
        return done.stdout.strip(), done.stderr

    url = f"{running.url}/mcp/olga/demo"
    assert manage("host", "pypi:demo", "--owner", "olga", "--name", "demo", "--no-wait")[0] == url
    issue = ("issue_token", "--user", "olga", "--deployment", "olga/demo")
    taken, said = manage(*issue)
    assert "Slipway runs at" not in said
    refused, said = manage(*issue, PORT="1234")
    assert said.startswith(f"Slipway runs at {running.url}, but this command says http://127.0.0.1:1234")
    running.secrets |= {taken, refused}
    # Without a session there is nothing to get: what counts is whether the token opens the endpoint at all.
    statuses = [running.get("/mcp/olga/demo", Authorization=f"Bearer {token}")[0] for token in (taken, refused)]
    assert statuses[0] != 401 and statuses[1] == 401, statuses


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs the parent-death signal of Linux")
@pytest.mark.slow
def test_parts_die_with_a_killed_supervisor_and_the_site_comes_up_again(site: Stack) -> None:
    parts = site.start().processes()
    os.kill(site.pid, signal.SIGKILL)
    site.wait(SECONDS)
    assert gone(parts) == []
    site.start()
    assert site.get("/healthz")[0] == 200


def test_a_dead_part_is_started_again_and_the_terminal_says_why(running: Stack) -> None:
    for part, word in (("worker", "manage.py worker"), ("web", "manage.py web"), ("valkey", "valkey-server")):
        pid = running.part(word)
        os.kill(pid, signal.SIGKILL)
        running.expect(f"{part} was ended by signal 9 (SIGKILL); starting it again")
        running.expect(f"{part} is ready again")
        assert running.part(word) != pid
    eventually(lambda: running.get("/healthz")[0] == 200)


@pytest.mark.slow
def test_a_hang_up_without_a_terminal_restarts_the_runner_in_place(running: Stack) -> None:
    (runner,) = (pid for pid, command in running.processes().items() if "--listen" in command)
    assert "restarted in place" in running.manage("runner_restart", "local").stderr
    restarts = running.log("runner").count("runner restarts in place")
    assert restarts >= 1
    os.kill(running.pid, signal.SIGHUP)
    running.expect("executes itself anew")
    eventually(lambda: running.log("runner").count("runner restarts in place") == restarts + 1)
    running.manage("runner_drain", "local", "--undo")  # it answers
    assert runner in running.processes() and running.get("/healthz")[0] == 200


def test_postgres_comes_back_and_the_site_with_it(running: Stack) -> None:
    os.kill(running.part("/postgres -D"), signal.SIGKILL)
    running.expect("postgres is ready again")
    eventually(lambda: running.get("/accounts/login/")[0] == 200)


@pytest.mark.parametrize("environment", [{}, {"PORT": ""}], ids=["another port", "no port"])
def test_a_second_site_on_the_same_data_is_refused(environment: dict[str, str], running: Stack) -> None:
    second = Stack(running.home, **environment)
    second.launch()
    said = second.expect("already runs on the data folder")
    assert f"process {running.pid}" in said
    assert second.wait(SECONDS) != 0
    assert running.get("/healthz")[0] == 200


def test_a_port_in_use_is_named(site: Stack) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", site.port))
        other.listen()
        site.launch()
        site.expect(f"Port {site.port} on 127.0.0.1 is in use by another program")
        assert site.wait(SECONDS) != 0
    assert no_stack_trace(site)


def test_a_part_that_cannot_start_ends_it_with_the_reason(site: Stack) -> None:
    (site.home / "valkey" / "appendonlydir").mkdir(parents=True)
    (site.home / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("rubbish\n")
    site.launch()
    site.expect("Slipway could not start. valkey exited with code 1. Its last lines")
    assert site.wait(SECONDS) != 0
    assert any("AOF manifest" in line for line in site.lines)
    assert no_stack_trace(site)


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    site = Stack(tmp_path / "home", DATABASE_URL="postgresql://nobody:hidden-word@127.0.0.1:1/none")
    site.launch()
    site.expect("PostgreSQL at DATABASE_URL does not answer")
    assert site.wait(SECONDS) != 0
    assert "hidden-word" not in "\n".join(site.lines)
    site.stop()


@pytest.mark.slow
@pytest.mark.skipif("DATABASE_URL" in os.environ, reason="plays the operator with the session's own PostgreSQL")
def test_services_of_the_operator_are_used_and_none_started(tmp_path: Path) -> None:
    with psycopg.connect(settings.DATABASE_URL.replace("/slipway?", "/postgres?"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE of_the_operator")
        try:
            url = settings.DATABASE_URL.replace("/slipway?", "/of_the_operator?")
            site = Stack(tmp_path / "home", DATABASE_URL=url, REDIS_URL=f"{settings.REDIS_URL}?db=3")
            try:
                site.start()
                assert not any("postgres -D" in said or "valkey-server" in said for said in site.processes().values())
                eventually(lambda: site.get("/readyz")[0] == 200)
                assert not (site.home / "postgres").exists()
            finally:
                site.stop()
        finally:
            connection.execute("DROP DATABASE of_the_operator WITH (FORCE)")


@pytest.mark.slow
def test_an_ordinary_user_can_run_it() -> None:
    with ordinary_user() as user:
        site = Stack(user.folder / "home", user)
        try:
            parts = site.start().processes()
            owners = {os.stat(f"/proc/{pid}").st_uid for pid in parts if os.path.exists(f"/proc/{pid}")}
            assert owners == {user.uid}
            assert site.get("/healthz")[0] == 200
            assert site.stop() == 0
            assert gone(parts, seconds=5) == []
        finally:
            site.stop()
