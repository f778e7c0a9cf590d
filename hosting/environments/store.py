"""The folder of environments: where each is, who may build it now, and what builders left behind.

<store>/<digest>/            a whole environment, read-only
<store>/.building/           folders of builds under way, and of builders that died
<store>/.locks/<digest>      held by the one who builds or removes; never deleted, because that would be a race
<store>/.trash/              environments on their way out: a removal is one rename, whatever happens after it
<store>/.downloads/          what the package tools have fetched, theirs to write to; environments have copies
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hosting.environments.tree import delete, size_within

DIGEST = re.compile(r"[0-9a-f]{64}")
LOCK_POLL_SECONDS = 0.1
ABANDONED_SECONDS = 3600.0  # longer than any resolution may take
MAX_CACHE_BYTES = 10 * 1024**3

_Held = int


class LockBusy(Exception):
    """Somebody else works on this digest."""


@dataclass(frozen=True)
class Store:
    """Paths and locks of one store. Nothing here looks into an environment."""

    root: Path

    @classmethod
    def at(cls, folder: Path) -> Store:
        """Opens a store, making its folders. The path is made real because sandboxes bind it as it is."""
        store = cls(folder.resolve())
        for path in (store.building, store.locks, store.trash, store.cache):
            path.mkdir(parents=True, exist_ok=True)
        return store

    @property
    def building(self) -> Path:
        return self.root / ".building"

    @property
    def locks(self) -> Path:
        return self.root / ".locks"

    @property
    def trash(self) -> Path:
        return self.root / ".trash"

    @property
    def cache(self) -> Path:
        return self.root / ".downloads"

    @contextmanager
    def cache_in_use(self) -> Iterator[None]:
        """Nobody empties it meanwhile."""
        held = os.open(self.locks / "downloads", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_SH)
            yield
        finally:
            os.close(held)

    def path_of(self, digest: str) -> Path:
        """Where the environment of this digest is, or would be."""
        if not DIGEST.fullmatch(digest):
            raise ValueError("a digest has 64 hexadecimal digits")
        return self.root / digest

    def digests(self) -> list[str]:
        return sorted(entry.name for entry in os.scandir(self.root) if DIGEST.fullmatch(entry.name))

    @contextmanager
    def locked(self, digest: str, wait_seconds: float) -> Iterator[_Held]:
        """Holds a digest; gives the descriptor that holds it. Raises LockBusy.

        The kernel releases the lock when the last process with this descriptor is gone. The package tools get it too:
        when a builder is killed, the next one waits until the tool that it left behind has ended as well.
        """
        held = os.open(self.locks / digest, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            until = time.monotonic() + wait_seconds
            while True:
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= until:
                        raise LockBusy(digest) from None
                    time.sleep(LOCK_POLL_SECONDS)
            yield held
        finally:
            os.close(held)

    def new_folder(self, digest: str) -> Path:
        """An empty folder to build in. The lock is held, so other folders of this digest belong to the dead."""
        for left in self.building.glob(f"{digest}-*"):
            delete(left)
        folder = self.building / f"{digest}-{secrets.token_hex(4)}"
        folder.mkdir(mode=0o755)
        return folder

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for one resolution, when no digest is known yet."""
        with tempfile.TemporaryDirectory(prefix="resolve-", dir=self.building) as folder:
            yield Path(folder)

    def discard(self, path: Path) -> None:
        """Takes an environment away at once, then deletes it."""
        gone = self.trash / secrets.token_hex(8)
        with suppress(FileNotFoundError):
            path.chmod(0o755)  # renaming a folder into another one writes its ".."
            path.rename(gone)
        delete(gone)

    def sweep(self) -> int:
        """Deletes what dead builders and interrupted removals left; gives the number of folders.

        Empties the cache of downloads when it has grown too large and nobody uses it."""
        count = self._trim_cache()
        for left in self.trash.iterdir():
            delete(left)
            count += 1
        for left in self.building.iterdir():
            digest, _, _ = left.name.partition("-")
            try:
                if DIGEST.fullmatch(digest):
                    with self.locked(digest, 0):
                        delete(left)
                elif time.time() - left.stat().st_mtime > ABANDONED_SECONDS:
                    delete(left)
                else:
                    continue
                count += 1
            except (LockBusy, FileNotFoundError):
                continue
        return count

    def _trim_cache(self) -> int:
        held = os.open(self.locks / "downloads", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if size_within(self.cache, MAX_CACHE_BYTES):
                return 0
            for part in self.cache.iterdir():
                self.discard(part)
            return 1
        except BlockingIOError:
            return 0
        finally:
            os.close(held)
