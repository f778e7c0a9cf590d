"""wrk at the API, and the same rows by bare psycopg."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

_LUA = """
local paths = {}
for line in io.lines(os.getenv("PATHS")) do paths[#paths + 1] = line end
local at = math.random(#paths)
function request()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
function done(summary, latency, requests)
  local failed = summary.errors.status + summary.errors.read + summary.errors.timeout + summary.errors.connect
  io.write(string.format('RESULT {"requests":%d,"us":%d,"p50":%f,"p95":%f,"p99":%f,"failed":%d,"bytes":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50) / 1000, latency:percentile(95) / 1000,
    latency:percentile(99) / 1000, failed, summary.bytes))
end
"""


@dataclass(frozen=True)
class Figures:
    """Times in milliseconds."""

    per_second: float
    p50: float
    p95: float
    p99: float


def api(url: str, paths: list[str], clients: int, seconds: float) -> Figures:
    """Fails when one answer is no 2xx."""
    with tempfile.TemporaryDirectory() as folder:
        script, listed = Path(folder) / "load.lua", Path(folder) / "paths"
        script.write_text(_LUA)
        listed.write_text("\n".join(paths))
        told = subprocess.run(
            ["wrk", "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s", "-s", str(script), url],
            env={"PATHS": str(listed), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    found = json.loads(next(line for line in told.splitlines() if line.startswith("RESULT "))[7:])
    if found["failed"]:
        raise RuntimeError(f"{found['failed']} answers of {url} were none: {told}")
    return Figures(found["requests"] / found["us"] * 1e6, found["p50"], found["p95"], found["p99"])


def bare(conninfo: str, queries: list[tuple[str, tuple[Any, ...]]], clients: int, seconds: float) -> Figures:
    """Each client with a thread and a connection; rows are fetched and left."""
    times: list[list[float]] = [[] for _ in range(clients)]
    start = threading.Barrier(clients + 1)

    def run(number: int) -> None:
        with psycopg.connect(conninfo, autocommit=True, prepare_threshold=2) as connection:
            start.wait()
            end, at = time.perf_counter() + seconds, number * 37
            while (now := time.perf_counter()) < end:
                sql, parameters = queries[at % len(queries)]
                connection.execute(sql, parameters).fetchall()
                times[number].append((time.perf_counter() - now) * 1000)
                at += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    start.wait()
    for thread in threads:
        thread.join()
    all_times = sorted(one for of_client in times for one in of_client)
    cuts = statistics.quantiles(all_times, n=100)
    return Figures(len(all_times) / seconds, cuts[49], cuts[94], cuts[98])
