"""Where a site keeps its things: the data folder and the short folder that holds its sockets."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from config import env

# A Unix socket's path has room for 107 bytes (unix(7)); the longest name below the run folder takes up to 40.
SOCKET_PATH_BYTES = 107
_LONGEST_NAME_BYTES = 40


class HomeError(Exception):
    """The folder can't be used; the message says why and what to do."""


def home_folder() -> Path:
    """SLIPWAY_HOME, or .slipway in the project's folder."""
    return env.folder("SLIPWAY_HOME", Path(__file__).resolve().parents[2] / ".slipway")


def run_folder(home: Path) -> Path:
    """SLIPWAY_HOME/run, or, where that is too long for a socket, a folder of /tmp that is named after it."""
    inside = home / "run"
    if len(os.fsencode(inside)) + _LONGEST_NAME_BYTES <= SOCKET_PATH_BYTES:
        return inside
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
    # Not TMPDIR: two shells of one user may differ in it, and both must find the same sockets.
    short = Path("/tmp") if os.path.isdir("/tmp") else Path(tempfile.gettempdir())
    return short / f"slipway-{os.geteuid()}-{digest}"


def run_folder_remove(home: Path) -> None:
    """Take the folder in /tmp away again, where there is one; for data folders that go too."""
    if (folder := run_folder(home)).parent != home:
        shutil.rmtree(folder, ignore_errors=True)


def folder_claim(path: Path, mode: int = 0o700) -> Path:
    """Make the folder, or check that it is ours alone: in /tmp somebody else could have made it first."""
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise HomeError(f"{path} is not a folder. Remove it and start again.")
        if found.st_uid != os.geteuid():
            raise HomeError(f"{path} belongs to user {found.st_uid}. Start Slipway as that user, or remove the folder.")
        if stat.S_IMODE(found.st_mode) & 0o077 & ~mode:
            path.chmod(mode)
    except OSError as error:
        raise HomeError(f"{path} can't be used: {error.strerror}. Choose another SLIPWAY_HOME.") from error
    return path


def home_prepare(home: Path) -> None:
    """Make the data folder and what lies in it."""
    folder_claim(home)
    folder_claim(run_folder(home))
    for name in ("logs", "store", "runners", "beat"):
        folder_claim(home / name)
