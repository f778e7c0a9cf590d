"""The Python and the Node.js that environments are built for, and what of them a sandbox has to see.

A sandbox has /usr read-only. An interpreter elsewhere (below a home folder, say) is named by absolute paths.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hosting.kinds.failure import BuildFailed

_IN_SANDBOX = ("/usr", "/lib", "/lib64", "/bin", "/sbin")  # the last four are symbolic links into /usr
_PROBE_SECONDS = 20


@dataclass(frozen=True)
class Interpreter:
    """`version` and `platform` go into digests; `read_only` is what a sandbox binds besides /usr."""

    executable: Path
    version: str  # "cpython-3.11.7", "node-v20.20.2"
    platform: str  # "linux-x86_64-glibc2.36"
    read_only: tuple[str, ...]

    @property
    def label(self) -> str:
        """As a person would say it: "Python 3.11.7", "Node.js 20.20.2"."""
        name, _, number = self.version.partition("-")
        return f"Node.js {number.removeprefix('v')}" if name == "node" else f"Python {number}"


@lru_cache(maxsize=1)
def python() -> Interpreter:
    """The interpreter below the virtual environment that Slipway itself runs in, by its real path.

    Never found by name: version managers put scripts into PATH that pose as interpreters.
    """
    executable = Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()
    version = f"{platform.python_implementation().lower()}-{platform.python_version()}"
    prefix = Path(sys.base_prefix).resolve()
    stdlib = Path(sysconfig.get_path("stdlib")).resolve()
    # A prefix that also holds other things (a home folder, ~/.local) isn't opened to somebody else's code.
    home = Path.home().resolve()
    is_shared = prefix == home / ".local" or home.is_relative_to(prefix)
    own = [executable, stdlib] if is_shared else [prefix]
    extensions = (stdlib / "lib-dynload").glob("*.so")
    return Interpreter(executable, version, _platform(), _visible([*own, *_libraries(executable, *extensions)]))


@lru_cache(maxsize=1)
def node() -> Interpreter:
    """The Node.js of PATH, by the real path that it gives itself. Raises BuildFailed when there is none."""
    found = shutil.which("node")
    if not found:
        raise _no_node("there is none on this machine")
    probe = "process.stdout.write(JSON.stringify([process.execPath, process.version]))"
    try:
        ran = subprocess.run(
            [found, "-e", probe], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True, cwd="/"
        )
        path, version = json.loads(ran.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise _no_node("the one in PATH doesn't start") from error
    executable = Path(path).resolve()
    # Official archives and version managers keep the binary alone in <prefix>/bin, so it is all that a start needs.
    return Interpreter(executable, f"node-{version}", _platform(), _visible([executable, *_libraries(executable)]))


def npm() -> str:
    """The path of npm. Raises BuildFailed when there is none."""
    found = shutil.which("npm")
    if not found:
        raise _no_node("npm is missing on this machine")
    return found


def _no_node(what: str) -> BuildFailed:
    return BuildFailed(f"npm packages need Node.js with npm, and {what}. Install Node.js 20 or newer and deploy again.")


def _platform() -> str:
    libc = "".join(platform.libc_ver())
    return "-".join(part for part in (sysconfig.get_platform(), libc) if part)


def _visible(paths: list[Path]) -> tuple[str, ...]:
    """Without what the sandbox has anyway, and without what lies below another of them."""
    outside = sorted({p for p in paths if not any(p.is_relative_to(root) for root in _IN_SANDBOX)})
    return tuple(str(p) for p in outside if not any(parent in outside for parent in p.parents))


def _libraries(*binaries: Path) -> list[Path]:
    """The shared libraries that these binaries load, by the paths under which the loader looks for them."""
    ldd = shutil.which("ldd")
    if not ldd or not binaries:
        return []
    try:
        ran = subprocess.run(
            [ldd, *(str(binary) for binary in binaries)],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [Path(os.path.normpath(found)) for found in re.findall(r"=> (/\S+) \(0x", ran.stdout)]
