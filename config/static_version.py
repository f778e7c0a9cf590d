"""What of the static files' addresses changes with them. Settings need it, so it knows nothing of Django."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

CHARACTERS: Final = 12


def static_version(folder: Path) -> str:
    """Of all files together, for the address: it changes when one of them does, so what has it may be kept for ever.

    One for all, since modules and styles name each other by relative addresses.
    """
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(folder).as_posix()}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:CHARACTERS]
