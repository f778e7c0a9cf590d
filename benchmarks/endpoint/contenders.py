"""Who is compared, and how each is started in front of the same echo server."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.endpoint import packages
from benchmarks.endpoint.calls import Target
from benchmarks.endpoint.processes import Server, free_port
from benchmarks.endpoint.site import Site

HERE = Path(__file__).parent
SERVER = HERE / "echo_server.py"
CALLS_A_SESSION = 16  # where there is more than one; requests go to sessions in turn, so some have more for a moment
LONE_SESSION_CALLS = 32
_CONTEXTFORGE_SECRETS = (
    "JWT_SECRET_KEY", "AUTH_ENCRYPTION_SECRET", "BASIC_AUTH_PASSWORD", "PLATFORM_ADMIN_PASSWORD",
    "DEFAULT_USER_PASSWORD",
)  # fmt: skip


class Running(Protocol):
    @property
    def pid(self) -> int: ...

    def revive(self) -> str: ...

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Contender:
    """One row: what it is called, where it is, whose processes are counted. `streams`: it can show progress."""

    name: str
    target: Target
    running: Running
    is_bridge: bool = False
    streams: bool = True


Start = Callable[[Path], list[Contender]]


def plain_asgi(cache: Path) -> list[Contender]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.endpoint.asgi_echo:application", f"--port={port}"]
    server = Server([*command, "--no-access-log", "--log-level=warning"], port)
    return [Contender("plain ASGI echo", Target(f"http://127.0.0.1:{port}/", "modern"), server, streams=False)]


def sdk(cache: Path) -> list[Contender]:
    port = free_port()
    python = packages.installed(packages.SDK, cache) / "python"
    server = Server([str(python), str(HERE / "sdk_server.py"), str(port)], port)
    return [
        Contender(f"SDK's own server ({packages.SDK.label})", Target(f"http://127.0.0.1:{port}/mcp", "modern"), server)
    ]


def _bridge(
    package: packages.Package, command: list[str], port: int, environment: Mapping[str, str] | None = None
) -> list[Contender]:
    server = Server(command, port, environment)
    return [Contender(package.label, Target(f"http://127.0.0.1:{port}/mcp", "legacy"), server, is_bridge=True)]


def _stdio() -> list[str]:
    """The hosted command, with a bare Python, as a sandboxed server has it."""
    return [sys.executable, "-I", str(SERVER), "legacy"]


def supergateway(cache: Path) -> list[Contender]:
    port = free_port()
    command = [str(packages.installed(packages.SUPERGATEWAY, cache) / "supergateway"), "--stdio", " ".join(_stdio())]
    command += ["--outputTransport", "streamableHttp", "--stateful", "--logLevel", "none", "--port", str(port)]
    return _bridge(packages.SUPERGATEWAY, command, port)


def mcp_proxy(cache: Path) -> list[Contender]:
    port = free_port()
    command = [str(packages.installed(packages.MCP_PROXY, cache) / "mcp-proxy"), f"--port={port}"]
    return _bridge(packages.MCP_PROXY, [*command, "--log-level=ERROR", "--", *_stdio()], port)


def fastmcp(cache: Path) -> list[Contender]:
    port = free_port()
    python = packages.installed(packages.FASTMCP, cache) / "python"
    command = [str(python), str(HERE / "fastmcp_proxy.py"), str(port), *_stdio()]
    return _bridge(packages.FASTMCP, command, port, {"FASTMCP_LOG_LEVEL": "ERROR"})


def contextforge(cache: Path) -> list[Contender]:
    port = free_port()
    python = packages.installed(packages.CONTEXTFORGE, cache) / "python"
    command = [str(python), "-m", "mcpgateway.translate", "--stdio", " ".join(_stdio()), "--expose-streamable-http"]
    environment = {name: f"Aa1-{secrets.token_urlsafe(40)}" for name in _CONTEXTFORGE_SECRETS}
    command += ["--port", str(port), "--logLevel", "error"]
    return _bridge(packages.CONTEXTFORGE, command, port, {**environment, "LOG_LEVEL": "ERROR"})


def slipway(cache: Path) -> list[Contender]:
    one, two = Site(1), Site(2)
    names = {"modern": "modern client, modern server", "legacy": "legacy client, legacy server"}
    rows = [Contender(f"Slipway: {names[era]}", one.targets[era], one) for era in names]
    crossed = Target(one.targets["legacy"].url, "modern", one.targets["legacy"].token)
    rows.append(Contender("Slipway: modern client, legacy server", crossed, one))
    rows.append(Contender("Slipway, 2 web processes: modern, modern", two.targets["modern"], two))
    return rows


STARTS: dict[str, Start] = {
    "asgi": plain_asgi,
    "sdk": sdk,
    "supergateway": supergateway,
    "mcp-proxy": mcp_proxy,
    "fastmcp": fastmcp,
    "contextforge": contextforge,
    "slipway": slipway,
}


def path_with_uv() -> None:
    """uv lies beside our Python where it is not on the path."""
    if shutil.which("uv") is None:
        os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
