"""What a command learns of the site that runs on its data folder, and when it learns nothing."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.launch import running
from config.launch.running import AlreadyRunsError, Running, address_taken_up, site_find, site_hold
from tests.stack import ROOT

URL = "http://127.0.0.1:8391"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "BIND", "SLIPWAY_URL", "SLIPWAY_APPS_URL", "TRUSTED_PROXIES"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def held(home: Path, kind: int = fcntl.LOCK_EX) -> Iterator[IO[bytes]]:
    with open(home / "up.lock", "ab") as file:
        fcntl.flock(file, kind)
        yield file


@contextmanager
def site(home: Path, monkeypatch: pytest.MonkeyPatch, url: str = URL, **environment: str) -> Iterator[None]:
    """One that was started with this environment, which the command at another shell has not."""
    with monkeypatch.context() as its:
        for name, value in environment.items():
            its.setenv(name, value)
        holding = site_hold(home, url)
        holding.__enter__()
    try:
        yield
    finally:
        holding.__exit__(None, None, None)


def test_what_the_site_was_started_with_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"PORT": "8391", "SLIPWAY_URL": "https://a.example", "SLIPWAY_APPS_URL": "https://b.example"}
    given["TRUSTED_PROXIES"] = "127.0.0.1"
    with site(tmp_path, monkeypatch, given["SLIPWAY_URL"], **given, BIND="127.0.0.2", SLIPWAY_DEBUG="1"):
        assert address_taken_up(tmp_path) == given
        assert site_find(tmp_path) == Running(os.getpid(), "https://a.example", given)
    assert address_taken_up(tmp_path) == {} and (tmp_path / "up.lock").read_text() != ""


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"PORT": "9000"}, "this command says http://127.0.0.1:9000: its environment has PORT."),
        ({"SLIPWAY_URL": "https://c.example"}, "this command says https://c.example: its environment has SLIPWAY_URL."),
        (
            {"PORT": "8391", "SLIPWAY_URL": "http://localhost:8391"},
            "this command says http://localhost:8391: its environment has PORT and SLIPWAY_URL.",
        ),
        ({"PORT": "8391"}, ""),
        ({"SLIPWAY_URL": URL}, ""),
    ],
)
def test_the_command_s_own_address_wins_and_it_says_so(
    own: dict[str, str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with site(tmp_path, monkeypatch, PORT="8391", SLIPWAY_APPS_URL="http://localhost:8391"):
        for name, value in own.items():
            monkeypatch.setenv(name, value)
        assert address_taken_up(tmp_path) == {}
    assert capsys.readouterr().err == (f"Slipway runs at {URL}, but {said}\n" if said else "")


def test_an_empty_variable_is_not_set_and_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with site(tmp_path, monkeypatch, PORT="8391", SLIPWAY_APPS_URL="http://apps.localhost:8391"):
        monkeypatch.setenv("PORT", "")
        monkeypatch.setenv("SLIPWAY_APPS_URL", "http://localhost:8391")
        assert address_taken_up(tmp_path) == {"PORT": "8391"}


def test_the_command_s_own_address_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with site(tmp_path, monkeypatch, PORT="8391"):
        monkeypatch.setenv("PORT", "eighty")
        with pytest.raises(ImproperlyConfigured, match="PORT is 'eighty'"):
            address_taken_up(tmp_path)


def test_what_a_killed_site_left_does_not_count(tmp_path: Path) -> None:
    code = f"""
import pathlib, sys
from config.launch.running import site_hold
with site_hold(pathlib.Path({str(tmp_path)!r}), {URL!r}):
    print("held", flush=True)
    sys.stdin.read()
"""
    words = [sys.executable, "-c", code]
    with subprocess.Popen(
        words, cwd=ROOT, env={**os.environ, "PORT": "8391"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as killed:
        try:
            assert killed.stdout is not None and killed.stdout.readline() == b"held\n"
            assert address_taken_up(tmp_path) == {"PORT": "8391"}
        finally:
            killed.send_signal(signal.SIGKILL)
    assert b"8391" in (tmp_path / "up.lock").read_bytes()
    assert address_taken_up(tmp_path) == {} and site_find(tmp_path) is None


@pytest.mark.parametrize(
    "left",
    [
        b"",
        b"4711\n",  # of an older version
        b"\xff\xfe",
        b"null",
        b"[" * 100_000,
        b'{"process": 1, "url": "http://127.0.0.1:8391"',
        b'{"process": 1, "url": "http://127.0.0.1:8391"}',
        b'{"process": "1", "url": 2, "environment": []}',
    ],
    ids=lambda left: repr(left[:20]),
)
def test_what_can_not_be_read_is_passed_over(left: bytes, tmp_path: Path) -> None:
    (tmp_path / "up.lock").write_bytes(left)
    with held(tmp_path):
        assert address_taken_up(tmp_path) == {}
        with (
            pytest.raises(AlreadyRunsError, match=r"already runs on the data folder .* \(process unknown\)"),
            site_hold(tmp_path, URL),
        ):
            pass
    with site_hold(tmp_path, URL):
        assert site_find(tmp_path) == Running(os.getpid(), URL)


def test_without_a_folder_or_a_file_no_site_runs(tmp_path: Path) -> None:
    assert address_taken_up(tmp_path / "none") == {}
    assert address_taken_up(tmp_path) == {} and list(tmp_path.iterdir()) == [], "and none is made"


def test_a_command_that_looks_does_not_keep_a_site_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(tmp_path, fcntl.LOCK_SH) as looking:
        has_ended = threading.Event()

        def end() -> None:
            has_ended.set()
            fcntl.flock(looking, fcntl.LOCK_UN)

        monkeypatch.setattr(running, "_PATIENCE_SECONDS", 60.0)  # longer than a busy machine lets a thread wait
        later = threading.Timer(0.1, end)
        later.start()
        with site_hold(tmp_path, URL):
            assert has_ended.is_set()
        later.join()


def test_a_second_site_is_told_of_the_first(tmp_path: Path) -> None:
    with site_hold(tmp_path, URL):
        with pytest.raises(AlreadyRunsError, match=rf"\(process {os.getpid()}\)"), site_hold(tmp_path, URL):
            pass
        assert site_find(tmp_path) == Running(os.getpid(), URL), "which goes on"
