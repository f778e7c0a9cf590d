"""The ASGI entry: `application` for /mcp/* and /.well-known/oauth-protected-resource/*, and what it lives on.

`config/asgi.py` calls `startup` and `shutdown` from the server's lifespan and sends it the paths above; `drain` may be
called before the server stops accepting, so that clients with open streams come back to another process.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from common.sealing import site_master
from hosting.stream.stream import RunnerPool
from mcp_endpoint.admission.anonymous import Visitors
from mcp_endpoint.admission.auth import Authenticator, Principal, Verify
from mcp_endpoint.admission.in_flight import InFlight
from mcp_endpoint.admission.limits import HOLD_SECONDS, STREAM_SECONDS
from mcp_endpoint.admission.origin import Gate
from mcp_endpoint.context import Services
from mcp_endpoint.directory import Backend, Directory, Key
from mcp_endpoint.endpoint import Endpoint
from mcp_endpoint.personal.persons import Persons
from mcp_endpoint.records.writing import Records
from mcp_endpoint.runners import Runners
from mcp_endpoint.sealed.request_state import States
from mcp_endpoint.sealed.sessions import Sessions
from mcp_endpoint.streams import Streams
from mcp_endpoint.tasks.service import Tasks
from mcp_endpoint.tools.tool_headers import ToolHeaders
from mcp_endpoint.tools.tool_policy import ToolPolicies
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.asgi import Receive, Scope, Send


@dataclass
class Running:
    """One process's endpoint between startup and shutdown."""

    endpoint: Endpoint
    directory: Directory
    streams: Streams
    pool: RunnerPool
    records: Records
    services: Services

    @property
    def tasks(self) -> Tasks:
        return self.services.tasks


def build(
    *,
    site_url: str,
    gate: Gate,
    verify: Verify,
    backend: Backend,
    sealing_key: bytes,
    persons: Persons,
    pool: RunnerPool | None = None,
    stream_seconds: float = STREAM_SECONDS,
    in_flight: InFlight | None = None,
    visitors: Visitors | None = None,
    hold_seconds: float = HOLD_SECONDS,
) -> Running:
    """Put the parts together; nothing runs yet."""
    directory = Directory(backend)
    pool = pool or RunnerPool("web")
    authenticator = Authenticator(verify, directory.is_revoked)
    endpoint: Endpoint

    def may_use(principal: Principal, key: Key, now: float) -> bool:
        return endpoint.may_use(principal, key, now)

    streams = Streams(may_use, stream_seconds)
    services = Services(
        Runners(pool, directory, persons),
        streams,
        Sessions(sealing_key),
        States(sealing_key),
        ToolHeaders(directory),
        in_flight or InFlight(),
        ToolPolicies(directory),
        Tasks(directory),
        persons,
        hold_seconds,
    )
    records = Records(directory)
    endpoint = Endpoint(site_url, gate, authenticator, directory, services, records, visitors or Visitors())
    return Running(endpoint, directory, streams, pool, records, services)


def build_from_settings() -> Running:
    from django.conf import settings

    from hosting.stream.links import runner_pool
    from mcp_endpoint.lookup import OrmBackend, verifier
    from mcp_endpoint.personal.orm import OrmPersons

    return build(
        site_url=settings.SLIPWAY_URL,
        gate=Gate(settings.SLIPWAY_URL, settings.ALLOWED_HOSTS, settings.MCP_ALLOWED_ORIGINS),
        verify=verifier(),
        backend=OrmBackend(),
        persons=OrmPersons(),
        sealing_key=site_master(),
        pool=runner_pool(f"web-{os.getpid()}"),
        stream_seconds=settings.MCP_STREAM_SECONDS,
        in_flight=InFlight(settings.MCP_CALLS_PER_PRINCIPAL, settings.MCP_CALLS_PER_DEPLOYMENT),
        hold_seconds=settings.SLIPWAY_HOLD_SECONDS,
        visitors=Visitors(settings.MCP_ANONYMOUS_CALLS_PER_ADDRESS, settings.MCP_ANONYMOUS_CALLS_PER_MINUTE),
    )


_running: Running | None = None


async def start(running: Running) -> None:
    running.directory.start()
    running.streams.start()
    running.records.start()


async def stop(running: Running) -> None:
    await running.streams.stop()
    await running.records.stop()
    await running.tasks.stop()
    await running.directory.stop()
    await running.pool.close()


async def startup() -> None:
    global _running
    _running = build_from_settings()
    await start(_running)


async def shutdown() -> None:
    global _running
    running, _running = _running, None
    if running is not None:
        await stop(running)


def drain(seconds: float = 0.0) -> None:
    """End all open streams in good order; what can't be resumed elsewhere gets `seconds` to come to its end."""
    if _running is not None:
        _running.streams.drain(seconds)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if _running is None:
        body = j.failure(b"", j.INTERNAL_ERROR, "The site is starting. Try again shortly.")
        headers = [(b"content-type", b"application/json"), (b"retry-after", b"1")]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return
    await _running.endpoint(scope, receive, send)
