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
from hosting.runner.remote.door import Door
from hosting.runner.runner import Runner
from hosting.runner.runtimes import choose
from hosting.runner.runtimes.base import Runtime
from hosting.runner.server import StreamServer
from hosting.runner.transport import Identity, listen

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
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace, runtime: Runtime) -> None:
    announcer = Announcer(os.environ.get("SLIPWAY_BROKER", ""), os.environ.get("SLIPWAY_BROKER_PREFIX", ""))
    door = Door(addresses.networks(arguments.networks.split(",")))
    runner = Runner(arguments.name, home=arguments.home, runtime=runtime, door=door, announce=announcer)
    runner.outbox.load()
    keeper = let_out(runtime, arguments.networks, arguments.ports)
    if keeper is not None:
        keeper.printed = runner.egress_printed
        runner.egress = keeper.ledger
    server = StreamServer(runner)
    identity = None
    if arguments.certificate and arguments.key and arguments.authority:
        identity = Identity(arguments.certificate, arguments.key, arguments.authority)
    listener = await listen(arguments.listen, server.connection, identity)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    sweeping = asyncio.create_task(runner.sweep())
    settle()
    logging.info("runner is ready", extra={"runner": runner.name, "boot": runner.boot, "listen": arguments.listen})
    await stopping.wait()
    logging.info("runner is stopping", extra={"runner": runner.name})
    sweeping.cancel()
    await runner.stop()
    listener.close()
    if keeper is not None:
        keeper.close()


def main() -> int:
    arguments = _arguments()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO").upper(), handlers=[handler])
    try:
        arguments.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        runtime = choose(arguments.sandbox)
        uvloop.run(_serve(arguments, runtime))
    except (ValueError, OSError, RuntimeError) as error:
        print(f"The runner can't start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
