"""The site that runs on a data folder: `up` writes there how it is reached, and commands beside it take that up.

Whether one runs, the lock on the file says and nothing else. The kernel ends it with `up`, however that ends, so that
what a killed one left in the file counts for nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from config import address
from config.env import text

# By what a site is reached. TRUSTED_PROXIES, since the settings want it beside an https address. Not BIND, which is
# in no link.
NAMES = ("PORT", "SLIPWAY_URL", "SLIPWAY_APPS_URL", "TRUSTED_PROXIES")
_FILE = "up.lock"
_PATIENCE_SECONDS = 0.5


class AlreadyRunsError(Exception):
    """Another site holds the data folder; the message says which and what to do."""


@dataclass(frozen=True)
class Running:
    process: int
    url: str  # scheme://host[:port]
    environment: Mapping[str, str] = field(default_factory=dict)  # of NAMES, what was set


@contextlib.contextmanager
def site_hold(home: Path, url: str) -> Iterator[None]:
    """Hold the data folder as the one site on it, which is reached at `url`. Raises AlreadyRunsError."""
    with open(os.open(home / _FILE, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        if not _taken(file):
            other = _read(file)
            raise AlreadyRunsError(
                f"Slipway already runs on the data folder {home} (process {other.process if other else 'unknown'}). "
                "Stop it first, or start this one with another SLIPWAY_HOME and PORT."
            )
        file.truncate(0)
        file.write(json.dumps(asdict(Running(os.getpid(), url, _own()))) + "\n")
        file.flush()
        yield


def _taken(file: IO[str]) -> bool:
    """Whether the lock is ours now. Not given up at the first refusal: a command that looks whether a site runs shares
    the lock for an instant. Asking without taking it (F_OFD_GETLK) would need no patience, but another kind of lock,
    which a site of an older version, still running over an update, neither holds nor sees."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        else:
            return True


def site_find(home: Path) -> Running | None:
    """The site that runs on this data folder. None, too, where what it says of itself can't be read."""
    try:
        with open(home / _FILE) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read(file)
    except OSError:
        pass
    return None


def _read(file: IO[str]) -> Running | None:
    try:
        match json.load(file):
            case {"process": int(process), "url": str(url), "environment": dict(given)}:
                return Running(process, url, {name: str(given[name]) for name in NAMES if name in given})
    except (ValueError, RecursionError):  # of a site that is just starting, or of another version
        pass
    return None


def _own() -> dict[str, str]:
    return {name: value for name in NAMES if (value := text(name))}


def address_taken_up(home: Path) -> dict[str, str]:
    """What a command adds to its environment, by variable, so that it says the addresses of the site that runs.

    Nothing where no site runs, and nothing where its own environment has PORT or SLIPWAY_URL: then those count, and
    standard error says so where they lead elsewhere. Raises ImproperlyConfigured where they are wrong."""
    site, own = site_find(home), _own()
    if site is None:
        return {}
    wins = [name for name in own if name in ("PORT", "SLIPWAY_URL")]
    if not wins:
        return {name: value for name, value in site.environment.items() if name not in own}
    if (url := address.public_url().origin) != site.url:
        print(
            f"Slipway runs at {site.url}, but this command says {url}: its environment has {' and '.join(wins)}.",
            file=sys.stderr,
        )
    return {}
