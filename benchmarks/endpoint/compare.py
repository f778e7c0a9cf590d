"""Slipway's endpoint beside plain ASGI, the SDK's server and the bridges, in one run with interleaved rounds.

    uv run --with-requirements requirements.lock python -m benchmarks.endpoint.compare

Needs wrk, node and npm; the contenders are installed into a cache folder the first time.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.endpoint import pipe
from benchmarks.endpoint.contenders import CALLS_A_SESSION, LONE_SESSION_CALLS, STARTS, Contender, path_with_uv
from benchmarks.endpoint.load import Run, drive
from benchmarks.endpoint.packages import DEFAULT_CACHE
from benchmarks.endpoint.processes import cpu_seconds
from benchmarks.endpoint.table import Table

CLIENTS = (1, 32, 128)
STREAMING_CLIENTS = (32,)
WARM_UP_SECONDS = 0.5


def measure(contender: Contender, tool: str, clients: int, seconds: float) -> Run:
    """One run, with sessions of its own where the contender has any."""
    sessions = 1 if clients <= LONE_SESSION_CALLS else -(-clients // CALLS_A_SESSION)
    try:
        target = contender.target.with_sessions(sessions)
        try:
            size = target.check(tool)
            drive(target, tool, clients, WARM_UP_SECONDS, size)
            before = cpu_seconds(contender.running.pid)
            run = drive(target, tool, clients, seconds, size)
            return replace(run, cpu_seconds=cpu_seconds(contender.running.pid) - before)
        finally:
            target.close_sessions()
    except (AssertionError, OSError) as error:
        return Run(0, 0.0, 0.0, 0.0, problem=str(error)[:100])


def noted(contender: Contender, tool: str, clients: int, run: Run) -> Run:
    if run.problem:
        said = contender.running.revive()
        print(f"<!-- {contender.name}, {tool}, {clients}: {run.problem}\n{said} -->", flush=True)
    return run


def start_all(names: list[str], cache: Path) -> list[Contender]:
    contenders: list[Contender] = []
    for name in names:
        began = time.monotonic()
        try:
            contenders += STARTS[name](cache)
            print(f"<!-- {name}: up after {time.monotonic() - began:.1f} s -->", flush=True)
        except Exception as error:
            print(f"<!-- {name} is left out: {error} -->", flush=True)
    return contenders


def stop_all(contenders: list[Contender]) -> None:
    for running in {id(contender.running): contender.running for contender in contenders}.values():
        running.stop()


def compare(contenders: list[Contender], rounds: int, seconds: float) -> Table:
    table = Table(contenders)
    for number in range(rounds):
        for tool, levels in (("echo", CLIENTS), ("stream", STREAMING_CLIENTS)):
            for clients in levels:
                if tool == "echo":
                    table.add("the pipe itself", tool, clients, pipe.measure(tool, clients, seconds))
                for contender in contenders:
                    if tool == "echo" or contender.streams:
                        run = measure(contender, tool, clients, seconds)
                        table.add(contender.name, tool, clients, noted(contender, tool, clients, run))
        print(f"<!-- round {number + 1} of {rounds} done -->", flush=True)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each run")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where the contenders are installed")
    parser.add_argument("--only", nargs="+", choices=list(STARTS), default=list(STARTS))
    arguments = parser.parse_args()
    path_with_uv()
    contenders = start_all(arguments.only, arguments.cache)
    try:
        print(compare(contenders, arguments.rounds, arguments.seconds).markdown())
    finally:
        stop_all(contenders)


if __name__ == "__main__":
    main()
