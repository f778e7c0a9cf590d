"""What creation is compared with: a tool with `task=True` of FastMCP 4 (Docket), and a Celery job with a result."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

from benchmarks.endpoint.packages import DEFAULT_CACHE, Package, installed
from benchmarks.endpoint.processes import Server, free_port
from benchmarks.tasks.talk import Session
from config.launch.valkey import binary

if TYPE_CHECKING:
    from benchmarks.tasks.creation import Times

SECONDS = 0.3
FASTMCP = Package("fastmcp", "4.1.2", extra=("fastmcp[tasks]==4.1.2", "uvicorn[standard]==0.54.0"))
_HERE = Path(__file__).parent


class Valkey:
    """Appends what it is told to a file, as ours does."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="slipway-benchmark-valkey-"))
        self.port = free_port()
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        options += ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        self._server = Server([str(binary()), *options], self.port)
        self.pid = self._server.pid
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


class FastMcp:
    name = "FastMCP 4.1.2 tasks (Docket)"

    def __enter__(self) -> FastMcp:
        self._valkey = Valkey()
        port = free_port()
        cache = DEFAULT_CACHE / "tasks"
        command = [str(installed(FASTMCP, cache) / "python"), str(_HERE / "fastmcp_tasks_server.py")]
        self._server = Server([*command, str(port), self._valkey.url], port)
        self.pids = [self._server.pid, self._valkey.pid]
        self._session = Session(f"http://127.0.0.1:{port}/mcp", is_modern=True)
        return self

    async def connect(self) -> None:
        await self._session.create("stamp", seconds=0)

    async def one(self, times: Times, due: float) -> None:
        """There is nothing to wait on for a result, so only when it was called is asked for, later."""
        task = await self._session.create("stamp", seconds=SECONDS)
        times.created.append((time.time() - due) * 1000)
        while True:
            await asyncio.sleep(1.0)
            found = await self._session.ask("tasks/get", {"taskId": task})
            if found["status"] == "completed":
                began = float(found["result"]["content"][0]["text"])
                times.started.append((began - due) * 1000)
                return

    def __exit__(self, *error: object) -> None:
        self._session.close()
        self._server.stop()
        self._valkey.stop()


class BareCelery:
    """`delay()` and `get()`, from threads; broker and results in one Valkey, one worker with threads."""

    name = "Celery delay().get()"

    def __enter__(self) -> BareCelery:
        self._valkey = Valkey()
        environment = {**os.environ, "BENCHMARK_BROKER": self._valkey.url}
        argv = [sys.executable, "-m", "celery", "-A", "benchmarks.tasks.bare_celery", "worker"]
        argv += ["--pool", "threads", "--concurrency", "32", "--without-gossip", "--without-mingle"]
        self._worker = subprocess.Popen(
            argv, env=environment, cwd=_HERE.parents[1], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.environ["BENCHMARK_BROKER"] = self._valkey.url
        from benchmarks.tasks import bare_celery

        self._stamp: Any = bare_celery.stamp
        self.pids = [self._worker.pid, self._valkey.pid]
        with suppress(redis.RedisError):
            self._stamp.delay(0).get(timeout=60)
        return self

    async def one(self, times: Times, due: float) -> None:
        await asyncio.to_thread(self._one, times, due)

    def _one(self, times: Times, due: float) -> None:
        waiting = self._stamp.delay(SECONDS)
        times.created.append((time.time() - due) * 1000)
        began, ended = waiting.get(timeout=60)
        times.visible.append((time.time() - ended) * 1000)
        times.started.append((began - due) * 1000)

    def __exit__(self, *error: object) -> None:
        self._worker.terminate()
        self._worker.wait(20)
        self._valkey.stop()
