"""What doing nothing costs: memory of idle sessions at every contender, and of thousands of open streams at Slipway.

uv run --with-requirements requirements.lock python -m benchmarks.endpoint.idle
"""

from __future__ import annotations

import argparse
import resource
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.endpoint.calls import Target
from benchmarks.endpoint.compare import start_all, stop_all
from benchmarks.endpoint.contenders import STARTS, path_with_uv
from benchmarks.endpoint.packages import DEFAULT_CACHE
from benchmarks.endpoint.processes import family, family_memory, memory_bytes
from benchmarks.endpoint.site import Site

STREAMS_A_PRINCIPAL = 200
SETTLE_SECONDS = 3.0


def open_stream(target: Target, session: str) -> socket.socket:
    """A legacy client's GET stream, open and silent."""
    host, _, port = target.host.partition(":")
    connection = socket.create_connection((host, int(port)), 30)
    headers = {**target.headers(""), "Mcp-Session-Id": session, "Accept": "text/event-stream"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    connection.sendall(f"GET {target.path} HTTP/1.1\r\n{lines}\r\n".encode())
    head = connection.recv(4096)
    assert head.startswith(b"HTTP/1.1 200"), head
    return connection


def grown(measure: Callable[[], int], act: Callable[[], None]) -> int:
    """By how many bytes `measure` grows when `act` is done."""
    before = measure()
    act()
    time.sleep(SETTLE_SECONDS)
    return measure() - before


def sessions(names: list[str], cache: Path, count: int) -> None:
    """Sessions, each with its stream: what all of a contender's processes need more for each."""
    print("| idle session with its stream | KB in all processes |\n|---|---|")
    for name in names:
        contenders = start_all([name], cache)
        try:
            for contender in contenders:
                target, held = contender.target, list[socket.socket]()
                if target.era != "legacy":
                    continue
                target.with_sessions(1).check("echo")  # what is loaded at the first use is not counted
                root = contender.running.pid

                def act(target: Target = target, held: list[socket.socket] = held) -> None:
                    held += [open_stream(target, target.open_session()) for _ in range(count)]

                try:
                    more = grown(partial(family_memory, root), act)
                    print(f"| {contender.name} | {more / count / 1024:,.0f} |")
                except (AssertionError, OSError) as error:
                    print(f"| {contender.name} | {error} |")
                for connection in held:
                    connection.close()
        finally:
            stop_all(contenders)


def streams(count: int) -> None:
    """Open streams on one web process, all of sessions that share one instance."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 1000)), hard))
    site, held = Site(1), list[socket.socket]()
    try:
        legacy = site.targets["legacy"]
        targets = [replace(legacy, token=token) for token in site.open_doors(-(-count // STREAMS_A_PRINCIPAL))]
        time.sleep(5)  # until the endpoint has seen that the doors are open, and the old instances are gone
        for target in targets:
            target.open_session()
        web, runner = site.stack.part("manage.py web"), site.stack.part("hosting.runner")
        parts: dict[str, Callable[[], int]] = {
            "web process": lambda: memory_bytes(web),
            "runner": lambda: memory_bytes(runner),
            "instance": lambda: sum(memory_bytes(pid) for pid in family(runner) if pid != runner),
        }
        before = {part: measure() for part, measure in parts.items()}
        for number in range(count):
            target = targets[number // STREAMS_A_PRINCIPAL]
            held.append(open_stream(target, target.open_session()))
        time.sleep(SETTLE_SECONDS)
        print(f"\n| {count:,} open streams | KB a stream | MB in all |\n|---|---|---|")
        for part, measure in parts.items():
            after = measure()
            print(f"| {part} | {(after - before[part]) / count / 1024:.1f} | {after / 2**20:.0f} |")
    finally:
        for connection in held:
            connection.close()
        site.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where the contenders are installed")
    parser.add_argument("--sessions", type=int, default=24)
    parser.add_argument("--streams", type=int, default=5000)
    parser.add_argument("--only", nargs="*", choices=list(STARTS), default=list(STARTS))
    arguments = parser.parse_args()
    path_with_uv()
    sessions(arguments.only, arguments.cache, arguments.sessions)
    streams(arguments.streams)


if __name__ == "__main__":
    main()
