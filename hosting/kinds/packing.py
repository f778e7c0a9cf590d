"""Makes what can be uploaded out of a path on this machine: a Python file and a zip as they are, a folder as a zip."""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path

from common.errors import BadInput
from hosting.kinds.archive import LEFT_OUT, MAX_ARCHIVE_BYTES, MAX_FILES, MAX_UNPACKED_BYTES

_MOMENT = (1980, 1, 1, 0, 0, 0)  # so that equal folders make equal zips


def pack(path: Path) -> tuple[str, bytes]:
    """File name and content. Raises BadInput."""
    try:
        path = path.resolve(strict=True)
        if path.is_dir():
            name = re.sub(r"[^A-Za-z0-9_. ()+-]|^[^A-Za-z0-9_]+", "-", path.name).strip("-. ")
            return f"{name[:100] or 'source'}.zip", _zip(path)
        if path.stat().st_size > MAX_ARCHIVE_BYTES:
            raise _refused(f"{path.name} is larger than {MAX_ARCHIVE_BYTES // 1024 // 1024} MB.")
        return path.name, path.read_bytes()
    except OSError as error:
        raise _refused(f"{path} couldn't be read: {error.strerror}.") from error


def _zip(folder: Path) -> bytes:
    packed, total = io.BytesIO(), 0
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for count, file in enumerate(_files(folder)):
            name = file.relative_to(folder).as_posix()
            if file.is_symlink():
                raise _refused(f"{name} is a symbolic link. Put the file itself there.")
            total += file.stat().st_size
            if count >= MAX_FILES or total > MAX_UNPACKED_BYTES:
                raise _refused(
                    f"{folder} holds more than {MAX_FILES} files or {MAX_UNPACKED_BYTES // 1024 // 1024} MB. "
                    "Name the folder of the source alone."
                )
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, file.read_bytes())
    return packed.getvalue()


def _files(folder: Path) -> list[Path]:
    """Without hidden entries and without what tools made there."""
    found: list[Path] = []
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in LEFT_OUT)
        found += [Path(here, name) for name in sorted(files) if not name.startswith(".")]
        if len(found) > MAX_FILES:
            break
    return found


def _refused(message: str) -> BadInput:
    return BadInput("bad_source", message, field="source")
