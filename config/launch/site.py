"""`up`: the whole site on this machine, from the data folder to the line that says it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

import psycopg
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connections

from accounts.models import OneTimeLink
from accounts.services import administrator_exists, one_time_link_create
from config import env
from config.launch import parts
from config.launch.home import HomeError, home_prepare
from config.launch.postgres import postgres_prepare
from config.launch.running import AlreadyRunsError, site_hold
from config.launch.serve import listening_socket
from config.launch.supervisor import PartFailedError, Supervisor
from config.launch.valkey import valkey_prepare
from events.actors import OPERATOR, SYSTEM
from hosting.fleet.register import runner_register

T = TypeVar("T")


class UpError(Exception):
    """The site can't be started; the message says why and what to do."""


def run_site() -> None:
    """Returns after SIGINT or SIGTERM, or with its terminal, when everything has stopped. SIGHUP restarts the runner in
    place. Raises UpError."""
    try:
        home_prepare(settings.SLIPWAY_HOME)
        with site_hold(settings.SLIPWAY_HOME, settings.SLIPWAY_URL), _listener() as listener:
            asyncio.run(_run(listener))
    except (AlreadyRunsError, HomeError, PartFailedError) as error:
        raise UpError(str(error)) from error


@contextlib.contextmanager
def _listener() -> Iterator[socket.socket]:
    bind, port = settings.BIND, settings.PORT
    try:
        opened = listening_socket(bind, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UpError(
                f"Port {port} on {bind} is in use by another program. Stop that, or choose another port: "
                f"make up PORT={port + 1}"
            ) from error
        raise UpError(f"Port {port} on {bind} can't be opened: {error.strerror}. Check PORT and BIND.") from error
    with opened:
        yield opened


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # a terminal that went away must not stop the site
        print(line, file=sys.stderr, flush=True)


async def _run(listener: socket.socket) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    supervisor = Supervisor(settings.SLIPWAY_HOME / "logs", _say)
    had_terminal = _has_terminal()

    def hung_up() -> None:
        """Either the terminal is gone, or somebody wants what is new to be taken up."""
        if had_terminal and not _has_terminal():
            stopped.set()
        elif supervisor.signal("runner", signal.SIGHUP):
            _say("the runner executes itself anew; what runs there goes on")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    loop.add_signal_handler(signal.SIGHUP, hung_up)
    starting = asyncio.create_task(_start(supervisor, listener))
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            for line in starting.result():
                print(line, flush=True)
            await stopping
        _say("Slipway is stopping")
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        stopping.cancel()
        await supervisor.stop_all()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


async def _start(supervisor: Supervisor, listener: socket.socket) -> list[str]:
    """Start all parts in order. Returns the lines for the terminal."""
    home, services = settings.SLIPWAY_HOME, []
    if not env.text("DATABASE_URL"):
        services.append(parts.postgres_part(await asyncio.to_thread(postgres_prepare, home)))
    if not env.text("REDIS_URL"):
        services.append(parts.valkey_part(valkey_prepare(home)))
    await supervisor.start(*services)
    await _in_thread(_check_services)
    await _in_thread(_migrate)
    await _in_thread(_register_runner)
    web = [parts.web_part(number + 1, settings.WEB_PROCESSES, listener) for number in range(settings.WEB_PROCESSES)]
    await supervisor.start(parts.runner_part(), parts.worker_part(), parts.beat_part(), *web)
    lines = [f"Slipway is ready at {settings.SLIPWAY_URL}"]
    if link := await _in_thread(_first_link):
        lines.append(f"Make the first administrator within the hour: {link}")
    return lines


async def _in_thread(work: Callable[[], T]) -> T:
    """Django's ORM blocks, and its connections belong to the thread that opened them: close them there."""

    def run() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


def _check_services() -> None:
    """Name the service of the operator's that doesn't answer, before a part fails over it."""
    try:
        connections["default"].ensure_connection()
    except (OperationalError, psycopg.Error) as error:
        raise UpError(f"PostgreSQL at DATABASE_URL does not answer: {str(error).strip()}") from error
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5) as client:
            client.ping()
    except redis.RedisError as error:
        raise UpError(f"Valkey or Redis at REDIS_URL does not answer: {error}") from error


def _migrate() -> None:
    call_command("migrate", interactive=False, verbosity=0)


def _register_runner() -> None:
    runner_register(actor=OPERATOR, name=parts.RUNNER_NAME, address=f"unix:{parts.runner_address()}")


def _first_link() -> str:
    """The one-time link for the first administrator, the first time only. It goes to the terminal and nowhere else."""
    if administrator_exists() or OneTimeLink.objects.filter(purpose=OneTimeLink.Purpose.FIRST_ADMIN).exists():
        return ""
    return one_time_link_create(actor=SYSTEM, purpose=OneTimeLink.Purpose.FIRST_ADMIN)
