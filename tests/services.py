"""A PostgreSQL and a Valkey of the test session's own, on the data folder that config/settings/test.py made."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from config.launch.home import home_prepare
from config.launch.postgres import postgres_prepare
from config.launch.processes import dies_with_parent
from config.launch.valkey import valkey_prepare

START_SECONDS = 60.0
# What this cluster holds is thrown away: nothing waits for the disk. Tests of what survives have a Stack of their own.
UNSAFE = [word for name in ("fsync", "full_page_writes", "synchronous_commit") for word in ("-c", f"{name}=off")]


@contextlib.contextmanager
def services(home: Path) -> Iterator[None]:
    """Start what neither DATABASE_URL nor REDIS_URL names; stop it at the end."""
    home_prepare(home)
    with contextlib.ExitStack() as running:
        if not os.environ.get("DATABASE_URL"):
            postgres = postgres_prepare(home)
            running.enter_context(
                process([*postgres.argv, *UNSAFE], home / "logs/postgres.log", signal.SIGINT, postgres.is_ready)
            )
        if not os.environ.get("REDIS_URL"):
            valkey = valkey_prepare(home)
            running.enter_context(process(valkey.argv, home / "logs/valkey.log", signal.SIGTERM, valkey.is_ready))
        yield


@contextlib.contextmanager
def process(argv: list[str], log: Path, stop: signal.Signals, is_ready: Callable[[], bool]) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for pytest, which then stops it in order
            preexec_fn=dies_with_parent(signal.SIGKILL),
        )
        try:
            end = time.monotonic() + START_SECONDS
            while not is_ready():
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{argv[0]} did not start:\n{log.read_text(errors='replace')}")
                time.sleep(0.02)
            yield
        finally:
            process.send_signal(stop)
            try:
                process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
