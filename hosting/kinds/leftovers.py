"""A folder that a stranger's code has written to, made fit for programs that trust what they find.

Whoever reads an environment afterwards may do so as root and outside of the sandbox, so a link in it must not lead them
elsewhere, and a pipe not hold them up.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path


class LeftoverRefused(Exception):  # noqa: N818 - the outcome of a check
    """Something that no installation needs. The text names it, relative to the folder."""


def take_back(folder: Path, allowed: Iterable[str]) -> None:
    """Everything below is this process's own again, without set-user-id bits. No process may write there any more.

    Raises LeftoverRefused for links that lead out of the folder and the `allowed` paths, and for what is neither file,
    folder nor link.
    """
    roots = [Path(path).resolve() for path in (str(folder), "/usr", *allowed)]
    uid, gid = os.geteuid(), os.getegid()
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            mode = os.lstat(path).st_mode
            if uid == 0:
                os.lchown(path, uid, gid)
            if stat.S_ISLNK(mode):
                _check_link(path, folder, roots)
            elif stat.S_ISDIR(mode):
                os.chmod(path, (mode | 0o700) & 0o777)
            elif stat.S_ISREG(mode):
                os.chmod(path, (mode | 0o600) & 0o777)
            else:
                raise LeftoverRefused(f"{os.path.relpath(path, folder)} is neither a file nor a folder")
    if uid == 0:
        os.lchown(folder, uid, gid)
    os.chmod(folder, 0o755)


def _check_link(path: str, folder: Path, roots: list[Path]) -> None:
    end = Path(os.path.realpath(path))
    if not any(end.is_relative_to(root) for root in roots):
        raise LeftoverRefused(f"{os.path.relpath(path, folder)} is a link that leads out of the package")


def size_of(folder: Path, most_bytes: int, most_files: int) -> tuple[int, int]:
    """Bytes on disk and number of entries; stops counting when either is too much."""
    octets = entries = 0
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            try:
                octets += os.lstat(os.path.join(parent, name)).st_blocks * 512
            except OSError:
                continue  # it vanished meanwhile
            entries += 1
        if octets > most_bytes or entries > most_files:
            break
    return octets, entries
