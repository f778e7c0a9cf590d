"""`python -m hosting.runner.egress`: the proxy process of a runner, which talks to it on descriptor 3."""

from __future__ import annotations

from collections.abc import Callable

from hosting.runner.egress import doors

CONTROL = 3


def main(ask: Callable[[str], list[str]] | None = None) -> None:
    """`ask` takes the place of this machine's own resolver."""
    opener, _ = doors.start()  # before a loop or a thread is there, and before most modules: it stays small
    import logging
    import os
    import resource
    import signal
    import socket
    import sys

    import uvloop

    from hosting.runner.egress.proxy import Proxy
    from hosting.runner.egress.resolver import Resolver, ask_machine

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with its runner, when that has stopped its instances
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="egress: %(levelname)s %(message)s")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    async def run() -> None:
        await Proxy(socket.socket(fileno=CONTROL), opener, Resolver(ask or ask_machine)).run()

    uvloop.run(run())
    os._exit(0)  # threads may still wait for name servers


if __name__ == "__main__":
    main()
