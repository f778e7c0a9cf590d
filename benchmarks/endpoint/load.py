"""One run of wrk, a load generator in C: a Python one would measure itself."""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
from dataclasses import dataclass

from benchmarks.endpoint.calls import FIRST_ID, Target

_SCRIPT = """
local number, heads, tail, answers = %(first)d, {%(heads)s}, {%(tail)s}, 0
local count, last = #heads, tail[2]
function request()
  number = number + 1
  if last then return heads[number %% count + 1] .. number .. tail[1] .. number .. last end
  return heads[number %% count + 1] .. number .. tail[1]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nRESULT {"calls":%%d,"seconds":%%f,"octets":%%d,"p50":%%f,"p99":%%f,"errors":%%d}\\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end
"""
_ids = itertools.count(FIRST_ID, 10_000_000)


@dataclass(frozen=True)
class Run:
    """What one run of one contender showed. Times in milliseconds."""

    calls: int
    seconds: float
    p50: float
    p99: float
    cpu_seconds: float = 0.0
    problem: str = ""

    @property
    def rate(self) -> float:
        return self.calls / self.seconds if self.seconds and not self.problem else 0.0

    @property
    def cpu_microseconds(self) -> float:
        return self.cpu_seconds / self.calls * 1e6 if self.calls else 0.0


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n") + '"'


def drive(target: Target, tool: str, clients: int, seconds: float, size: int) -> Run:
    """Call `tool` as fast as `clients` connections can, each waiting for its answer; no id is used twice.

    `size` is what a right response weighs: a run whose responses weigh something else had wrong ones among them.
    """
    requests = [target.request(tool, session) for session in target.sessions or ("",)]
    script = _SCRIPT % {
        "first": next(_ids),
        "heads": ",".join(_quoted(pieces[0]) for pieces in requests),
        "tail": ",".join(_quoted(piece) for piece in requests[0][1:]),
    }
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:g}s", "--timeout", "20s", "-s", file.name, target.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), "")
    if not line:
        return Run(0, 0.0, 0.0, 0.0, problem=(done.stderr or done.stdout).strip()[-200:])
    found = json.loads(line.removeprefix("RESULT "))
    calls = found["calls"]
    problem = f"{found['errors']} errors" if found["errors"] else "" if calls else "no answers"
    weight = found["octets"] / calls if calls else 0
    if not problem and not 0.85 < weight / size < 1.15:
        problem = f"answers of {weight:.0f} bytes instead of {size}"
    return Run(calls, found["seconds"], found["p50"], found["p99"], problem=problem)
