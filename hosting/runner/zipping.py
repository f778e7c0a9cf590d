"""A folder as a zip, in a file that has no name. Only what lies in it: links are not followed, and special files left
out."""

from __future__ import annotations

import os
import stat
import tempfile
import time
import zipfile
from pathlib import Path

_CHUNK = 1024 * 1024


def zip_folder(folder: Path, into: Path) -> int:
    """A descriptor of the zip; `into` is a folder of the file system that has room for it. Raises OSError."""
    fd, name = tempfile.mkstemp(dir=into)
    os.unlink(name)
    try:
        with os.fdopen(os.dup(fd), "wb") as file, zipfile.ZipFile(file, "w", compresslevel=1) as out:
            for parent, folders, files in os.walk(folder):
                place = os.path.relpath(parent, folder)
                for one in sorted(folders):
                    out.writestr(zipfile.ZipInfo(os.path.normpath(os.path.join(place, one)) + "/"), b"")
                for one in sorted(files):
                    _add(out, os.path.join(parent, one), os.path.normpath(os.path.join(place, one)))
        return fd
    except BaseException:
        os.close(fd)
        raise


def _add(out: zipfile.ZipFile, path: str, name: str) -> None:
    """What a server can change while it is read: a name that becomes a link is not opened."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            return
        entry = zipfile.ZipInfo(name.encode("utf-8", "replace").decode(), _when(found.st_mtime))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = (stat.S_IFREG | (found.st_mode & 0o755)) << 16
        with out.open(entry, "w", force_zip64=True) as target:
            while chunk := file.read(_CHUNK):
                target.write(chunk)


def _when(seconds: float) -> tuple[int, int, int, int, int, int]:
    """A zip knows no year before 1980."""
    found = time.gmtime(max(seconds, 315_532_800))
    return found[:6]
