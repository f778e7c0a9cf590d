"""The parts of a site as data: what is run, how one knows that it is ready, how it is stopped."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from config.launch.postgres import Postgres
from config.launch.valkey import Valkey
from hosting.fleet.command import runner_command

RUNNER_NAME = "local"


@dataclass(frozen=True)
class Part:
    name: str  # also of its log file
    argv: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)  # added to ours
    folder: Path | None = None  # to run in, if not ours
    descriptors: tuple[int, ...] = ()  # handed down
    is_ready: Callable[[], bool] | None = None  # asked again and again, in a thread; None: it announces itself
    start_seconds: float = 60.0
    # What is sent to stop it, each so many seconds after the first; SIGKILL follows when the patience ends.
    stop: tuple[tuple[float, signal.Signals], ...] = ((0.0, signal.SIGTERM),)
    death: signal.Signals = signal.SIGKILL  # what it gets when the supervisor vanishes
    tells: str = ""  # a word in its own lines that makes them worth the terminal, where they are not JSON


def postgres_part(postgres: Postgres) -> Part:
    # SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one, after which it recovers at the next start.
    stop = ((0.0, signal.SIGINT), (2.5, signal.SIGQUIT))
    return Part("postgres", postgres.argv, is_ready=postgres.is_ready, stop=stop, death=signal.SIGQUIT, tells="PANIC")


def valkey_part(valkey: Valkey) -> Part:
    return Part("valkey", valkey.argv, is_ready=valkey.is_ready, death=signal.SIGTERM)


def _command(*words: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]


def web_part(number: int, count: int, listener: socket.socket) -> Part:
    name = "web" if count == 1 else f"web-{number}"
    return Part(
        name,
        _command("web", "--fd", str(listener.fileno())),
        {"SLIPWAY_PART": "web"},
        descriptors=(listener.fileno(),),
        stop=((0.0, signal.SIGTERM), (4.0, signal.SIGINT)),
    )


def worker_part() -> Part:
    # SIGTERM lets running jobs end; SIGQUIT puts them back into the queue.
    stop = ((0.0, signal.SIGTERM), (3.0, signal.SIGQUIT))
    return Part("worker", _command("worker"), {"SLIPWAY_PART": "worker"}, stop=stop)


def beat_part() -> Part:
    return Part("beat", _command("beat"), {"SLIPWAY_PART": "beat"})


def runner_address() -> Path:
    """Of the socket that the runner listens at."""
    return Path(settings.SLIPWAY_RUN) / f"runner-{RUNNER_NAME}.sock"


def runner_part() -> Part:
    """The runner itself, not the command that registers it: whoever waits after a crash waits for no Django to load."""
    address = runner_address()
    command = runner_command(RUNNER_NAME, f"unix:{address}", drain_seconds=2.0)
    return Part(
        "runner", command.argv, command.environment, folder=settings.BASE_DIR, is_ready=lambda: answers(address)
    )


def answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(os.fspath(address))
        except OSError:
            return False
    return True
