"""`python -m hosting.runner`: one runner process. asyncio only; knows neither Django nor a database."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path

import uvloop

from common import addresses
from common.garbage import settle
from hosting.runner.announcing import Announcer
from hosting.runner.egress.keeper import let_out
from hosting.runner.ending import Ending, end
from hosting.runner.folders import Folders
from hosting.runner.handover import StateError, kept, read
from hosting.runner.remote.door import Door
from hosting.runner.restart import SIGNALS, Restart, close_on_exec
from hosting.runner.runner import Runner
from hosting.runner.runtimes import choose
from hosting.runner.runtimes.base import Runtime
from hosting.runner.server import StreamServer
from hosting.runner.starter import Starter
from hosting.runner.sweeping import sweep, watch_folders
from hosting.runner.transport import Identity, listen, listen_on

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with whatever ids the call site put into `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        entry.update({key: value for key, value in record.__dict__.items() if key not in _PLAIN})
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hosting.runner", description=__doc__)
    parser.add_argument("--name", required=True, help="the runner's name, letters, digits and hyphens")
    parser.add_argument("--listen", required=True, help="unix:/path or tls:host:port")
    parser.add_argument("--home", required=True, type=Path, help="folder for spilled data")
    parser.add_argument("--sandbox", default="bubblewrap", choices=("bubblewrap", "insecure"))
    parser.add_argument("--networks", default="", help="private networks that may be reached, as CIDR,CIDR …")
    parser.add_argument("--ports", default="", help="ports of those that may be reached besides 443, as PORT,PORT …")
    for name in ("certificate", "key", "authority"):
        parser.add_argument(f"--{name}", type=Path, help="PEM file, for a tls: address")
    parser.add_argument(
        "--drain-seconds", type=float, default=60.0, help="how long running calls may go on after SIGTERM"
    )
    parser.add_argument("--state", type=int, help="descriptor of what an earlier run of this process handed over")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace, runtime: Runtime) -> None:
    broker = os.environ.get("SLIPWAY_BROKER", ""), os.environ.get("SLIPWAY_BROKER_PREFIX", "")
    announcer = Announcer(arguments.name, *broker)
    ports = [int(port) for port in arguments.ports.split(",") if port]
    folders = Folders(arguments.home / "data")
    starter = Starter(runtime, Door(addresses.networks(arguments.networks.split(",")), ports), folders)
    state = None if arguments.state is None else read(kept(arguments.state), starter)
    keeper = let_out(runtime, arguments.networks, arguments.ports, state.egress if state is not None else None)
    if state is not None:
        close_on_exec(state.inherited)
        runner = state.runner
        runner.adopt(runtime.take_over(state.runtime), announcer)
    else:
        runner = Runner(arguments.name, home=arguments.home, starter=starter, announce=announcer)
        runner.outbox.load()
    if keeper is not None:
        keeper.printed = runner.egress_printed
        runner.egress = keeper.ledger
    server = StreamServer(runner)
    identity = None
    if arguments.certificate and arguments.key and arguments.authority:
        identity = Identity(arguments.certificate, arguments.key, arguments.authority)
    if state is not None:
        server.adopt(state.away)
        listeners = [await listen_on(fd, server.connection, identity) for fd in state.listeners]
    else:
        listeners = [await listen(arguments.listen, server.connection, identity)]
    restart = Restart(runner, server, starter, runtime, keeper, listeners, identity)
    runner.restart = restart.begin
    ending = Ending(runner, arguments.drain_seconds)
    ending.listen()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, restart.begin)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    sweeping = [asyncio.create_task(sweep(runner)), asyncio.create_task(watch_folders(runner))]
    settle()
    logging.info("runner is ready", extra={"runner": runner.name, "boot": runner.boot, "listen": arguments.listen})
    await ending.wait()
    for task in sweeping:
        task.cancel()
    for listener in listeners:
        listener.close()
    await end(runner, server)
    if keeper is not None:
        keeper.close()


def _rehearse(descriptor: int) -> int:
    """Whether this code could go on with that state; says why not."""
    try:
        read(kept(descriptor), None)
    except StateError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def main() -> int:
    if sys.argv[1:2] == ["--rehearse"]:
        return _rehearse(int(sys.argv[2]))
    arguments = _arguments()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO").upper(), handlers=[handler])
    try:
        arguments.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        runtime = choose(arguments.sandbox, is_known=arguments.state is not None)
        uvloop.run(_serve(arguments, runtime))
    except (ValueError, OSError, RuntimeError) as error:
        print(f"The runner can't start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
