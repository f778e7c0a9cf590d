"""People, and a real runner process beside the tests of jobs."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from celery.signals import after_task_publish
from django.conf import settings

from accounts.models import User
from hosting.looks.inspection import deployment_inspect
from hosting.models import Deployment
from tests.bound import bound
from tests.factories import make_deployment, make_runner, make_user

SERVERS = Path(__file__).parents[1] / "servers"
START_SECONDS = 60.0  # of a machine that many others use


@dataclass
class RunnerProcess:
    name: str
    address: str
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def server_argv(name: str = "modern") -> list[str]:
    """The command of one of the test servers, run by this interpreter."""
    return [sys.executable, "-I", str(SERVERS / f"{name}.py")]


READ_ONLY = [str(SERVERS), sys.base_prefix, sys.prefix]


# The runner's own program, which kills itself when it comes to a step (hosting.runner.steps).
_DYING = """
import os, runpy, signal, sys
from hosting.runner import steps
wanted = sys.argv.pop(1)
steps.reached = lambda step: os.kill(os.getpid(), signal.SIGKILL) if step == wanted else None
runpy.run_module("hosting.runner", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def bob() -> User:
    return make_user("bob")


def is_listening(path: Path) -> bool:
    """A socket's file is there a moment before anybody listens on it."""
    with socket.socket(socket.AF_UNIX) as caller:
        try:
            caller.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


@pytest.fixture
def start_runner(tmp_path: Path) -> Iterator[Callable[[str], RunnerProcess]]:
    started: list[RunnerProcess] = []

    def start(name: str = "r1", *more: str, dies_at: str = "") -> RunnerProcess:
        path = tmp_path / f"{name}.sock"
        path.unlink(missing_ok=True)
        program = ["-c", _DYING, dies_at] if dies_at else ["-m", "hosting.runner"]
        words = [*program, "--name", name, "--listen", f"unix:{path}"]
        words += ["--home", str(tmp_path / name), "--sandbox", "bubblewrap", *more]
        process = subprocess.Popen([sys.executable, *bound(*words)], cwd=settings.BASE_DIR, stderr=subprocess.DEVNULL)
        started.append(RunnerProcess(name, f"unix:{path}", process))
        end = time.monotonic() + START_SECONDS
        while not is_listening(path):
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"the runner {name} did not start")
            time.sleep(0.02)
        return started[-1]

    yield start
    for runner in started:
        runner.process.send_signal(signal.SIGINT)  # now: what a test left open keeps it from ending otherwise
        runner.process.wait()


@pytest.fixture
def runner_process(start_runner: Callable[[str], RunnerProcess]) -> RunnerProcess:
    return start_runner("r1")


@pytest.fixture
def deployment(runner_process: RunnerProcess) -> Deployment:
    """Placed at the runner of this test's own."""
    make_runner(address=runner_process.address)
    made = make_deployment(make_user(), argv=server_argv("legacy"), read_only=READ_ONLY)
    deployment_inspect(made.pk)  # which places it
    return made


@pytest.fixture
def queued() -> Iterator[list[tuple[str, list[Any]]]]:
    """Jobs as they were published: name and arguments."""
    found: list[tuple[str, list[Any]]] = []

    def published(sender: str, body: Any, **more: Any) -> None:
        found.append((sender.rpartition(".")[2], list(body[0])))

    after_task_publish.connect(published, weak=False)
    yield found
    after_task_publish.disconnect(published)
