"""Whether secrets lie in clear where a site keeps things: PostgreSQL's files and its log of writes, Valkey's, all logs,
spools and folders. What is installed from packages is left out: it is large, and nobody's secret is in it."""

from __future__ import annotations

import mmap
from collections.abc import Collection, Iterator
from pathlib import Path

INSTALLED = frozenset({"environments", "pg_notify", "pg_stat_tmp"})


def leaked(home: Path, secrets: Collection[str]) -> list[str]:
    """The files, relative to the site's home, that have one of these in them."""
    wanted = [secret.encode() for secret in secrets]
    return [str(path.relative_to(home)) for path in _files(home) if _has(path, wanted)] if wanted else []


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_symlink() or path.name in INSTALLED:
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file() and path.stat().st_size:
            yield path


def _has(path: Path, wanted: Collection[bytes]) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return any(text.find(secret) >= 0 for secret in wanted)
