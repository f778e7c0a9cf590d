"""A folder full of installed files: its fingerprint and size, making it read-only, deleting it."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tree:
    """`fingerprint` covers names, sizes and link targets, not bytecode; `size_bytes` is the sum of the sizes.

    Sizes, not contents: it is to notice files that a crash, a full disk or a person took away, and has to be cheap.
    What was downloaded has been checked against the hashes of the lock.
    """

    fingerprint: str
    size_bytes: int


def measure(folder: Path, *, without: str) -> Tree:
    """Looks at everything below the folder but the one file at its top."""
    digest, total = hashlib.sha256(), 0
    for entry in sorted(_entries(folder), key=lambda entry: entry.path):
        name = os.path.relpath(entry.path, folder)
        if name == without:
            continue
        size = 0
        if entry.is_symlink():
            what = f"link {os.readlink(entry.path)}"
        elif entry.is_dir():
            what = "folder"
        else:
            size = entry.stat(follow_symlinks=False).st_size
            what = str(size)
        total += size
        if "__pycache__" not in name.split(os.sep):  # Python may renew what is in there
            digest.update(f"{name}\0{what}\n".encode("utf-8", "surrogateescape"))
    return Tree(digest.hexdigest(), total)


def size_within(folder: Path, most_bytes: int) -> bool:
    """Whether everything below takes no more room on the disk."""
    total = 0
    for entry in _entries(folder):
        with suppress(FileNotFoundError):
            total += entry.stat(follow_symlinks=False).st_blocks * 512
        if total > most_bytes:
            return False
    return True


def make_read_only(folder: Path) -> None:
    """Takes writing from everything inside, and lets everybody read: a sandbox may use another user.

    The folder itself stays writable, because it has yet to be renamed.
    """
    for entry in _entries(folder):
        if entry.is_symlink():
            continue
        mode = entry.stat(follow_symlinks=False).st_mode
        runs = stat.S_ISDIR(mode) or mode & stat.S_IXUSR
        os.chmod(entry.path, 0o555 if runs else 0o444)


def delete(folder: Path) -> None:
    """Removes a folder, read-only parts too. What others have already removed is no error."""
    for path, _, _ in os.walk(folder):
        with suppress(OSError):
            os.chmod(path, 0o755)
    shutil.rmtree(folder, ignore_errors=True)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(Path(entry.path))
