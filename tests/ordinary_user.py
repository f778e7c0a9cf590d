"""A user that nobody is, as in a container that was started with a number, and a project that this user may run.

Root's own Python, packages or clone may lie where no one else may look. What does is copied for the time of the test.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
_NOT_NEEDED = shutil.ignore_patterns("site-packages", "test", "idlelib", "tkinter", "ensurepip", "config-*")
_NOT_OF_THE_PROJECT = shutil.ignore_patterns(".*", "__pycache__")


@dataclass(frozen=True)
class OrdinaryUser:
    """`become` goes in front of a command; `python` is of a virtual environment that has our packages."""

    uid: int
    folder: Path  # the user's own
    root: Path  # the project
    python: Path
    become: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def ordinary_user() -> Iterator[OrdinaryUser]:
    """Another user where we are root; otherwise the one that we are. Its folder goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="slipway-user-", dir="/tmp"))  # a short path: sockets lie in it
    try:
        if os.geteuid() != 0:
            yield OrdinaryUser(os.geteuid(), folder, ROOT, Path(sys.executable), ())
        else:
            yield _somebody_else(folder)
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)


def _somebody_else(folder: Path) -> OrdinaryUser:
    known = {entry.pw_uid for entry in pwd.getpwall()}
    uid = next(uid for uid in range(54321, 60000) if uid not in known)
    os.chown(folder, uid, uid)
    become = ("setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "--")
    root = (
        ROOT if _may_run(become, "/bin/ls", str(ROOT / "config")) else _copied(ROOT, folder / "p", _NOT_OF_THE_PROJECT)
    )
    packages = Path(sysconfig.get_path("purelib"))
    if not _may_run(become, "/bin/ls", str(packages / "django")):
        packages = _copied(packages, folder / "packages")
    interpreter, environment = _interpreter(become, folder)
    return OrdinaryUser(uid, folder, root, _environment(folder / "venv", interpreter, packages), become, environment)


def _interpreter(become: tuple[str, ...], folder: Path) -> tuple[Path, dict[str, str]]:
    """Ours, the system's of exactly our version (packages are chosen for that), or a copy; with variables it needs."""
    said = f"import sys; sys.exit(sys.version_info != {tuple(sys.version_info)})"
    ours = Path(os.path.realpath(sys.executable))
    for path in (ours, Path(f"/usr/bin/python{_VERSION}"), Path(f"/usr/local/bin/python{_VERSION}")):
        if path.exists() and _may_run(become, str(path), "-c", said):
            return path, {}
    copy = folder / "python"
    _copied(Path(sysconfig.get_path("stdlib")), copy / "lib" / f"python{_VERSION}", _NOT_NEEDED)
    library = Path(str(sysconfig.get_config_var("LIBDIR"))) / str(sysconfig.get_config_var("INSTSONAME"))
    if ".so" in library.name and library.exists():
        shutil.copy2(library, copy / "lib")
    (copy / "bin").mkdir()
    shutil.copy2(ours, copy / "bin" / f"python{_VERSION}")
    return copy / "bin" / f"python{_VERSION}", {"LD_LIBRARY_PATH": str(copy / "lib")}


def _environment(folder: Path, interpreter: Path, packages: Path) -> Path:
    """A virtual environment as `python -m venv` makes them, which some systems leave out. Gives its Python."""
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text(f"home = {interpreter.parent}\ninclude-system-site-packages = false\n")
    (folder / "bin" / "python").symlink_to(interpreter)
    site = folder / "lib" / f"python{_VERSION}" / "site-packages"
    site.mkdir(parents=True)
    (site / "ours.pth").write_text(f"{packages}\n")
    return folder / "bin" / "python"


def _may_run(become: tuple[str, ...], *argv: str) -> bool:
    # Through a shell: what becomes the user still has root's way with files until it executes something.
    command = [*become, "/bin/sh", "-c", 'exec "$@"', "become", *argv]
    return subprocess.run(command, capture_output=True, cwd="/").returncode == 0


def _copied(source: Path, target: Path, ignore: object = None) -> Path:
    """By hard links where that is possible."""

    def copy(one: str, other: str) -> None:
        try:
            os.link(one, other)
        except OSError:
            shutil.copy2(one, other)

    shutil.copytree(source, target, symlinks=True, ignore=ignore, copy_function=copy)  # type: ignore[arg-type]
    return target
