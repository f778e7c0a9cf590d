"""The embedded PostgreSQL where starting it is not plain: without user namespaces, and after a crash."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.launch.home import HomeError, home_prepare, run_folder_remove
from config.launch.postgres import postgres_prepare
from tests.services import process


@pytest.fixture
def home() -> Iterator[Path]:
    """Not tmp_path, which lies below a folder that only its owner may enter."""
    folder = Path(tempfile.mkdtemp(prefix="slipway-test-"))
    home_prepare(folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def no_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where user namespaces are switched off: unshare is there and fails."""
    unshare = tmp_path / "unshare"
    unshare.write_text("#!/bin/sh\nexit 1\n")
    unshare.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def version(url: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.info.server_version


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")
@pytest.mark.usefixtures("no_namespaces")
def test_root_without_user_namespaces_runs_it_as_nobody(home: Path) -> None:
    try:
        postgres = postgres_prepare(home)
    except HomeError as error:
        pytest.skip(f"nobody may not read the interpreter's packages here: {error}")
    assert postgres.argv[0] == "setpriv"
    with process(postgres.argv, home / "logs" / "postgres.log", signal.SIGINT, postgres.is_ready):
        assert version(postgres.url()) > 180000
    assert postgres.data.stat().st_uid == 65534
    assert postgres_prepare(home).argv == postgres.argv, "and once more on what is there"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")
@pytest.mark.usefixtures("no_namespaces")
def test_a_folder_that_nobody_can_reach_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "home"
    home_prepare(home)
    with pytest.raises(HomeError, match="the user nobody, who can't enter"):
        postgres_prepare(home)
    run_folder_remove(home)


def test_a_server_that_was_left_behind_gives_way(home: Path) -> None:
    postgres = postgres_prepare(home)
    log = home / "logs" / "postgres.log"
    with process(postgres.argv, log, signal.SIGINT, postgres.is_ready):
        again = postgres_prepare(home)  # as the next `up` does after a kill -9 on a system without parent-death signals
        assert not postgres.is_ready()
        with process(again.argv, log, signal.SIGINT, again.is_ready):
            assert version(again.url()) > 180000
