"""One web process: uvicorn around config.asgi, on a socket that the supervisor opened or on one of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from types import FrameType

import uvicorn
from django.conf import settings

from common.garbage import settle
from config.launch.http import HttpProtocol
from config.launch.ready import announce_ready
from config.launch.warming import warm_up
from hosting.tasks import feed as task_feed
from mcp_endpoint import app as mcp

# Open streams would hold a restart back for as long as their clients like; clients resume on another process.
GRACE_SECONDS = 3
TICK_SECONDS = 1.0
_LAST_CALLS_SECONDS = GRACE_SECONDS - 0.5  # then what can't be resumed elsewhere is told so


class _Server(uvicorn.Server):
    """Ends when a signal comes; uvicorn's own loop would look for one ten times a second."""

    _loop: asyncio.AbstractEventLoop | None = None
    _stopped: asyncio.Event

    async def main_loop(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        while not await self.on_tick(0):  # which also makes the Date of the next second's answers
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._stopped.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            settle()
            announce_ready()
            warm_up()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        task_feed.drain()
        mcp.drain(_LAST_CALLS_SECONDS)
        await super().shutdown(sockets)


def listening_socket(bind: str, port: int) -> socket.socket:
    """Opened before any part starts, so that a port in use is known at once and a restart refuses no connection."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((bind, port))
        opened.listen(2048)
    except BaseException:
        opened.close()
        raise
    return opened


def serve(listener: socket.socket) -> bool:
    """Run until SIGTERM or SIGINT. False when it could not start; the log says why."""
    proxies = settings.TRUSTED_PROXIES
    HttpProtocol.request_seconds = settings.REQUEST_SECONDS
    server = _Server(
        uvicorn.Config(
            "config.asgi:application",
            loop="uvloop",
            http=HttpProtocol,
            ws="websockets-sansio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=75,
        )
    )
    server.run([listener])
    return server.started
