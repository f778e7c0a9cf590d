"""A site with 105,000 versions of 32,000 servers, kept in a folder so that it is made once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.registry.grown import written
from tests.stack import ROOT, Stack

SERVERS, VERSIONS = 32_000, 105_000


@dataclass(frozen=True)
class Grown:
    """The running site: `pid` is the process that all of it belongs to, `pages` are (name, path) of every page that its
    administrator sees, `queries` are by path."""

    url: str
    pid: int
    pages: list[tuple[str, str]]
    queries: dict[str, int]
    cookie: str  # "name=value" of a session that is signed in
    environment: Mapping[str, str]  # for another process that is to work on this site's data


@contextmanager
def grown(folder: Path, servers: int = SERVERS, versions: int = VERSIONS) -> Iterator[Grown]:
    """`folder` holds the site's data afterwards; the next time it is taken as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    dump, done = folder / "dump.ndjson.gz", folder / "imported"
    site = Stack(folder / "home", WEB_PROCESSES="1")
    try:
        site.start()
        if not done.exists():
            count = written(None, dump, servers, versions)
            site.manage("import_registry", str(dump), seconds=3600)
            done.write_text(f"{count} versions of {servers} servers\n")
            dump.unlink()
        print(done.read_text().strip(), flush=True)
        told = json.loads(_run(site, "benchmarks.pages.rows").splitlines()[-1])
        pages = [(name, path) for name, path in told["paths"] if path in told["queries"]]
        yield Grown(site.url, site.pid, pages, told["queries"], told["cookie"], site.environment)
    finally:
        site.stop()


def _run(site: Stack, module: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module], env=dict(site.environment), cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stderr}")
    return done.stdout
