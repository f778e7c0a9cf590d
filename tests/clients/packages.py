"""The clients, by version, and where they are installed: a cache folder outside of this repository.

Versions stand here and nowhere else. SLIPWAY_TEST_CACHE names the folder (default ~/.cache/slipway-tests).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path

from uv import find_uv_bin

NODE = "22.23.3"  # Inspector needs 22.19 or newer, and machines have older ones
TYPESCRIPT_1 = "@modelcontextprotocol/sdk@1.32.2"
TYPESCRIPT_2 = "@modelcontextprotocol/client@2.4.0"
INSPECTOR = "@modelcontextprotocol/inspector@2.12.0"
MCPC = "@apify/mcpc@0.2.6"
OIDC_PROVIDER = "oidc-provider@9.13.3"
FASTMCP = "fastmcp==4.1.2"
PYTHON_1 = "mcp==1.30.0"  # 2.x is what the tests themselves have installed
EVERYTHING = "@modelcontextprotocol/server-everything@2026.8.31"
# mcpc needs viem for its payments, which no test makes. Newer ones ask for a package that not every registry has.
OVERRIDES = {"viem": "2.57.1"}

CACHE = Path(os.environ.get("SLIPWAY_TEST_CACHE") or Path.home() / ".cache" / "slipway-tests")
INSTALL_SECONDS = 600


@cache
def folder() -> Path:
    """The folder with `node_modules`; npm fills it when it is not there yet. Raises RuntimeError with npm's output.

    No install script runs: instead of the package `node`, which fetches its binary in one, the binary's own is asked
    for.
    """
    machine = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    wanted = [f"node-{sys.platform}-{machine}@{NODE}", TYPESCRIPT_1, TYPESCRIPT_2, INSPECTOR, MCPC, OIDC_PROVIDER]
    manifest = json.dumps({"private": True, "overrides": OVERRIDES})
    digest = hashlib.sha256(json.dumps([manifest, *wanted]).encode()).hexdigest()[:16]
    found = CACHE / f"clients-{digest}"
    is_complete = found / "complete"
    if not is_complete.exists():
        found.mkdir(parents=True, exist_ok=True)
        with (CACHE / "lock").open("w") as lock:  # tests in another process may be at it
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_complete.exists():
                _install(found, manifest, wanted)
                (found / "node").unlink(missing_ok=True)
                (found / "node").symlink_to(Path("node_modules") / f"node-{sys.platform}-{machine}" / "bin" / "node")
                is_complete.touch()
    return found


def _install(found: Path, manifest: str, wanted: list[str]) -> None:
    (found / "package.json").write_text(manifest)
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(
        ["npm", "install", "--prefix", str(found), *options, *wanted],
        capture_output=True, text=True, timeout=INSTALL_SECONDS,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"npm could not install the clients:\n{done.stdout}{done.stderr}")


def node(*arguments: str) -> list[str]:
    return [str(folder() / "node"), *arguments]


def inspector(*arguments: str) -> list[str]:
    return node(
        str(folder() / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"), *arguments
    )


def mcpc(*arguments: str) -> list[str]:
    return node(str(folder() / "node_modules/@apify/mcpc/dist/cli/index.js"), *arguments)


def python_1(script: Path, *arguments: str) -> list[str]:
    """A script under SDK 1.x, in an environment of its own."""
    return _python(PYTHON_1, script, *arguments)


def fastmcp(script: Path, *arguments: str) -> list[str]:
    return _python(FASTMCP, script, *arguments)


def _python(package: str, script: Path, *arguments: str) -> list[str]:
    return [
        find_uv_bin(), "run", "--quiet", "--isolated", "--no-project", "--with", package,
        "python", str(script), *arguments,
    ]  # fmt: skip


def environment() -> dict[str, str]:
    """For a client's process: nothing that a developer has set for the site of their own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SLIPWAY_", "MCP", "PYTEST_"))}
