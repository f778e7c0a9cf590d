"""The contenders' packages, each pinned and installed into a folder of its own below a cache folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

DEFAULT_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "slipway-benchmarks"


@dataclass(frozen=True)
class Package:
    """One contender as its registry has it; `python` where it needs another one than ours."""

    name: str
    version: str
    kind: str = "pypi"
    python: str = "3.11"
    extra: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}"


SDK = Package("mcp", "2.3.0", extra=("uvicorn[standard]==0.54.0",))
MCP_PROXY = Package("mcp-proxy", "0.13.0")
FASTMCP = Package("fastmcp", "4.1.2")
CONTEXTFORGE = Package("mcp-contextforge-gateway", "1.1.0", python="3.12")
SUPERGATEWAY = Package("supergateway", "4.0.0", kind="npm")


def installed(package: Package, cache: Path) -> Path:
    """The folder with the package's commands. Raises CalledProcessError when it can't be installed."""
    folder = cache / f"{package.name}-{package.version}"
    if package.kind == "npm":
        commands = folder / "node_modules" / ".bin"
        install = [["npm", "install", "--no-audit", "--no-fund", "--silent", f"--prefix={folder}"]]
        install[0].append(f"{package.name}@{package.version}")
    else:
        commands = folder / "bin"
        wanted = [f"{package.name}=={package.version}", *package.extra]
        install = [
            ["uv", "venv", "--quiet", "--python", package.python, str(folder)],
            ["uv", "pip", "install", "--quiet", "--compile-bytecode", f"--python={commands / 'python'}", *wanted],
        ]
    done = folder / ".installed"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for command in install:
            subprocess.run(command, check=True)
        done.touch()
    return commands
