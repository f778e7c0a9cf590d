"""The pipe itself: the echo server over stdio with nothing between, so many calls in flight, many lines a write."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

from benchmarks.endpoint.calls import Target
from benchmarks.endpoint.load import Run
from benchmarks.endpoint.processes import cpu_seconds

SERVER = Path(__file__).parent / "echo_server.py"


def measure(tool: str, in_flight: int, seconds: float) -> Run:
    before, after = Target("http://localhost/", "modern").body("echo").split("1234567890")
    if tool != "echo":
        return Run(0, 0.0, 0.0, 0.0, problem="not measured")
    command = [sys.executable, "-I", str(SERVER), "modern"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None and server.stdout is not None
        into, out = server.stdin.fileno(), server.stdout.fileno()
        number, calls, sent, times = 1_000_000_000, 0, deque[float](), list[float]()
        room, began = in_flight, time.perf_counter()
        now = began
        while now - began < seconds:
            lines = "".join(f"{before}{number + step}{after}\n" for step in range(room))
            number += room
            sent.extend([now] * room)
            os.write(into, lines.encode())
            room = os.read(out, 1 << 20).count(b"\n")
            now = time.perf_counter()
            times += [now - sent.popleft() for _ in range(room)]
            calls += room
        cpu = cpu_seconds(server.pid)
        server.stdin.close()
        server.kill()
    times.sort()
    p50, p99 = times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3
    return Run(calls, now - began, p50, p99, cpu)
