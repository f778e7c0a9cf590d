"""Endpoints over real HTTP (uvicorn) before a real runner process; the test says only what the database would."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from joserfc.jwk import ECKey

from common.errors import AppError, Unavailable
from config.launch.http import HttpProtocol
from hosting.routing import Route, not_callable
from hosting.runner.placement import Placement
from hosting.stream.stream import RunnerPool, RunnerUnavailableError
from hosting.usage.calls import CallRow
from mcp_endpoint import app
from mcp_endpoint.admission.auth import InvalidTokenError, TokenClaims
from mcp_endpoint.admission.origin import Gate
from oauth import claims
from tests.bound import bound
from tests.mcp_endpoint.answers import taken

SERVERS = Path(__file__).parent.parent / "servers"
SITE = "http://slipway.test"
RESOURCE = f"{SITE}/mcp/alice/test"
ALICE = "00000000-0000-7000-8000-00000000000a"
BOB = "00000000-0000-7000-8000-00000000000b"
SEALING_KEY = bytes(range(32))
LEGACY, MODERN = "2025-11-25", "2026-07-28"
META = "io.modelcontextprotocol/"
ACCEPT = "application/json, text/event-stream"
SECONDS = 60.0  # for what takes an instant, on a machine that many others use


def placement(server: str = "legacy", **changes: Any) -> Placement:
    values: dict[str, Any] = {
        "deployment": "d1",
        "label": "alice/test",
        "version": "v1",
        "epoch": 1,
        "argv": [sys.executable, "-I", str(SERVERS / f"{server}.py")],
        "read_only": [str(SERVERS), sys.base_prefix, sys.prefix],
    }
    return Placement(**{**values, **changes})


@dataclass
class World:
    """What the database would say. Implements directory.Backend."""

    route: Route | None
    placement: Placement
    addresses: list[str]
    revoked: set[str] = field(default_factory=set)
    is_down: bool = False
    tools: list[dict[str, Any]] | None = None
    calls: list[CallRow] = field(default_factory=list)
    told: list[list[dict[str, Any]]] = field(default_factory=list)

    def _check(self) -> None:
        if self.is_down:
            raise Unavailable("database", "down")

    def route_for(self, owner: str, name: str) -> Route | None:
        self._check()
        route = self.route
        return route if route is not None and (owner, name) == (route.owner, route.name) else None

    def placement_ensure(self, deployment_id: str, exclude_address: str) -> Route:
        self._check()
        assert self.route is not None
        if not self.route.runner_address or self.route.runner_address == exclude_address:
            others = [address for address in self.addresses if address != exclude_address]
            if not others:
                raise Unavailable("no_runner", "No runner can take it now.")
            self.route = replace(self.route, runner_address=others[0])
        return self.route

    def placement_for(self, deployment_id: str) -> tuple[str, Placement]:
        self._check()
        assert self.route is not None
        return self.route.runner_address, self.placement

    def why_not(self, route: Route) -> AppError:
        return not_callable(route)

    def tools_of(self, version_id: str) -> bytes | None:
        self._check()
        return None if self.tools is None else json.dumps(self.tools).encode()

    def revoked_jtis(self) -> frozenset[str]:
        self._check()
        return frozenset(self.revoked)

    def anonymous_keys(self) -> frozenset[tuple[str, str]]:
        self._check()
        route = self.route
        return frozenset({(route.owner, route.name)} if route is not None and route.is_anonymous else ())

    def calls_write(self, rows: list[CallRow]) -> None:
        self._check()
        self.calls += rows

    def tools_seen(self, deployment_id: str, definitions: list[dict[str, Any]]) -> None:
        self._check()
        self.told.append(definitions)


@dataclass
class Site:
    """One runner, one world, and as many web servers as a test starts."""

    world: Any  # a World, or where a test asks a real database an OrmBackend
    key: ECKey
    address: str
    home: Path
    webs: list[Web] = field(default_factory=list)
    runner: asyncio.subprocess.Process = None  # type: ignore[assignment]

    async def start_runner(self, *more: str) -> None:
        words = ["-m", "hosting.runner", "--name", "r1", "--listen", self.address]
        words += ["--home", str(self.home), "--sandbox", "bubblewrap", *more]
        process = self.runner = await asyncio.create_subprocess_exec(
            sys.executable, *bound(*words), cwd=Path(__file__).parents[2]
        )
        pool = RunnerPool("probe")
        async with asyncio.timeout(SECONDS):
            while True:
                try:
                    await pool.link(self.address)
                    break
                except RunnerUnavailableError:
                    assert process.returncode is None
                    await asyncio.sleep(0.05)
        await pool.close()

    def verify(self, token: str, audience: str, now: float) -> TokenClaims:
        try:
            return claims.verify(token, key=self.key, issuer=SITE, audience=audience, now=now)
        except claims.InvalidTokenError as error:
            raise InvalidTokenError(error.reason) from None

    def token(self, sub: str = ALICE, *, jti: str = "t1", seconds: float = 600, **changes: Any) -> str:
        now = int(time.time())
        values: dict[str, Any] = {
            "sub": sub, "client_id": "cli", "aud": RESOURCE, "scope": frozenset({"mcp:read", "mcp:call"}), "jti": jti,
            "iat": now, "exp": int(now + seconds), "iss": SITE,
        }  # fmt: skip
        return claims.mint(claims.Claims(**{**values, **changes}), key=self.key)

    async def web(self, origins: Iterable[str] = (), persons: Any = None, **limits: Any) -> Web:
        """One more web process, as far as state goes."""
        running = app.build(
            site_url=SITE,
            gate=Gate(SITE, (), origins),
            verify=self.verify,
            backend=self.world,
            persons=persons,
            sealing_key=SEALING_KEY,
            pool=RunnerPool(f"web-{len(self.webs)}"),
            **limits,
        )
        await app.start(running)
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            running.endpoint,
            http=Remembering,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,  # a client of a busy machine may send just as its idle connection is closed
        )
        server = Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        web = Web(self, running, server, task, listener.getsockname()[1])
        self.webs.append(web)
        return web


class Remembering(HttpProtocol):
    """Keeps heads from the first request on, so that most tests meet both ways of serving one."""

    kept_from = 1


class Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        pass


@dataclass
class Web:
    site: Site
    running: app.Running
    server: Server
    task: asyncio.Task[None]
    port: int
    clients: list[httpx.AsyncClient] = field(default_factory=list)
    _stopped: bool = False

    def client(self, token: str | None = "", **headers: str) -> httpx.AsyncClient:
        """An HTTP client with the right Host; `token` "" means Alice's own, None none."""
        values = {"host": "slipway.test", "accept": ACCEPT, **headers}
        if token is not None:
            values["authorization"] = f"Bearer {token or self.site.token()}"
        client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}",
            headers=values,
            timeout=SECONDS,
            event_hooks={"response": [taken]},
        )
        self.clients.append(client)
        return client

    async def die(self) -> None:
        """Break every connection at once, to clients and to the runner, as kill -9 would."""
        self._stopped = True
        for connection in list(self.server.server_state.connections):
            connection.transport.abort()
        await self.running.pool.close()
        await self._end()

    async def stop(self) -> None:
        for client in self.clients:
            await client.aclose()
        if not self._stopped:
            await self._end()

    async def _end(self) -> None:
        self.server.should_exit = True
        await self.task
        await app.stop(self.running)


def request(method: str, params: dict[str, Any] | None = None, id: Any = 1) -> dict[str, Any]:  # noqa: A002
    return {"jsonrpc": "2.0", "id": id, "method": method, **({"params": params} if params is not None else {})}


def tool(name: str, id: Any = 1, token: Any = None, **arguments: Any) -> dict[str, Any]:  # noqa: A002
    params: dict[str, Any] = {"name": name, "arguments": arguments}
    if token is not None:
        params["_meta"] = {"progressToken": token}
    return request("tools/call", params, id)


def initialize(revision: str = LEGACY, **capabilities: Any) -> dict[str, Any]:
    params = {"protocolVersion": revision, "capabilities": capabilities, "clientInfo": {"name": "t", "version": "1"}}
    return request("initialize", params, "init")


PATH = "/mcp/alice/test"


async def session(client: httpx.AsyncClient, revision: str = LEGACY, **capabilities: Any) -> dict[str, Any]:
    """Open a legacy session; from then on the client sends its headers. Returns the InitializeResult."""
    response = await client.post(PATH, json=initialize(revision, **capabilities))
    assert response.status_code == 200, response.text
    client.headers["mcp-session-id"] = response.headers["mcp-session-id"]
    client.headers["mcp-protocol-version"] = response.json()["result"]["protocolVersion"]
    noted = await client.post(PATH, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert noted.status_code == 202, noted.text
    result: dict[str, Any] = response.json()["result"]
    return result


def modern(
    message: dict[str, Any], *, capabilities: dict[str, Any] | None = None, version: str = MODERN, **meta: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """`message` with what every modern request carries, and the headers that mirror it."""
    params = dict(message.get("params") or {})
    own = params.pop("_meta", {})
    params["_meta"] = {
        META + "protocolVersion": version, META + "clientCapabilities": capabilities or {}, **own, **meta
    }  # fmt: skip
    headers = {"mcp-protocol-version": version, "mcp-method": message["method"]}
    name = params.get("name") or params.get("uri") or params.get("taskId")
    if isinstance(name, str):
        headers["mcp-name"] = name
    return {**message, "params": params}, headers


async def ask(client: httpx.AsyncClient, message: dict[str, Any], **options: Any) -> httpx.Response:
    body, headers = modern(message, **options)
    return await client.post(PATH, json=body, headers=headers)


@dataclass
class SentEvent:
    id: str
    data: str
    retry: str = ""

    def json(self) -> Any:
        return json.loads(self.data)


async def events(response: httpx.Response) -> AsyncIterator[SentEvent]:
    """The server-sent events of a streamed response, the priming one included."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if not line:
            if fields:
                yield SentEvent(fields.get("id", ""), fields.get("data", ""), fields.get("retry", ""))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while True:
            outcome = condition()
            if await outcome if isinstance(outcome, Awaitable) else outcome:
                return
            await asyncio.sleep(0.02)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    address = f"unix:{tmp_path}/r1.sock"
    route = Route(
        deployment_id="d1", version_id="v1", owner="alice", name="test", access="private",
        member_ids=frozenset({ALICE}), state="ready", reason="", epoch=1, runner_address=address,
        resource=RESOURCE, isolation="session",
    )  # fmt: skip
    world = World(route, placement(), [address])
    made = Site(world, ECKey.generate_key("P-256", {"kid": "k"}), address, tmp_path / "r1")
    await made.start_runner()
    yield made
    for web in made.webs:
        await web.stop()
    if made.runner.returncode is None:
        made.runner.send_signal(signal.SIGINT)  # now: what a test left open keeps it from ending otherwise
    await made.runner.wait()


@pytest.fixture
async def web(site: Site) -> Web:
    return await site.web()
