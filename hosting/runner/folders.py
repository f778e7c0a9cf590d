"""Data folders: homes that outlive the instances of one user, `<runner home>/data/<deployment>/<key>/home`.

Beside each lies a file that says whose it is. A folder is its deployment's and its user's; a shared deployment has one
for all. Who writes it is `placed`'s to decide (one live instance); here is where it lies, how large it is, and its way
out: as a zip in parts, or for good.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from hosting.runner.runtimes.base import LaunchFailed
from hosting.runner.runtimes.ceilings import size_words
from hosting.runner.seen import DataPart, FolderSeen
from hosting.runner.zipping import zip_folder

log = logging.getLogger(__name__)

SHARED = "*"
PART_BYTES = 256 * 1024
TICKET_SECONDS = 600.0
MAX_TICKETS = 16
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_TRASH = ".trash"


class About(msgspec.Struct):
    """What is known of a folder, as it is written beside it."""

    subject: str  # the user, or SHARED
    size_bytes: int = 0
    used_at: float = 0.0


class FoldersError(Exception):
    """It can't be given or deleted; the message is for people."""


def key_of(subject: str) -> str:
    """The folder's name: a user's id need not be fit for one."""
    return hashlib.blake2b(subject.encode(), digest_size=16).hexdigest()


class Folders:
    """All data folders of a runner. Call it on the event loop; what takes long happens in threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[tuple[str, str], About] = {}
        self._tickets: dict[str, tuple[float, asyncio.Task[int]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for trash in root.glob(f"*/{_TRASH}*"):
            shutil.rmtree(trash, ignore_errors=True)
        for path in root.glob("*/*/about.json"):
            try:
                about = msgspec.json.decode(path.read_bytes(), type=About)
            except (OSError, msgspec.DecodeError):
                log.warning("a data folder says nothing of itself", extra={"folder": str(path.parent)})
                about = About("")
            self._known[path.parent.parent.name, path.parent.name] = about

    # --- for instances

    def open(self, deployment: str, subject: str, most_bytes: int) -> Path:
        """The home, made where it isn't there yet. Raises LaunchFailed when it is full."""
        key = key_of(subject)
        folder = self._folder(deployment, key)
        about = self._known.get((deployment, key))
        if about is not None and 0 < most_bytes < about.size_bytes:
            raise LaunchFailed(full_words(about.size_bytes, most_bytes))
        (folder / "home").mkdir(mode=0o700, parents=True, exist_ok=True)
        about = about or About(subject)
        about.used_at = time.time()
        self._write(deployment, key, about)
        return folder / "home"

    async def measure(self, deployment: str, subject: str) -> int:
        """Its size now, in bytes on disk."""
        key = key_of(subject)
        about = self._known.get((deployment, key))
        if about is None:
            return 0
        about.size_bytes = await asyncio.to_thread(_size, self._folder(deployment, key) / "home")
        about.used_at = time.time()
        if (deployment, key) in self._known:
            self._write(deployment, key, about)
        return about.size_bytes

    def seen(self) -> list[FolderSeen]:
        return [
            FolderSeen(deployment, key, about.subject, about.size_bytes, about.used_at)
            for (deployment, key), about in self._known.items()
        ]

    # --- for the site

    def delete(self, deployment: str, key: str) -> None:
        """Out of the way at once; its instance, if there is one, keeps what it has open until it ends."""
        folder = self._folder(deployment, key)
        if self._known.pop((deployment, key), None) is None:
            return
        trash = folder.parent / f"{_TRASH}-{secrets.token_hex(8)}"
        folder.rename(trash)
        task = asyncio.create_task(asyncio.to_thread(shutil.rmtree, trash, True))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def part(self, deployment: str, key: str, ticket: str, offset: int) -> DataPart:
        """A part of its zip, which is made when no ticket is given; asked for until `is_last`. Raises FoldersError."""
        now = time.monotonic()
        for name, (until, _) in list(self._tickets.items()):
            if until < now:
                self._drop(name)
        if not ticket:
            return self._begin(deployment, key)
        if ticket not in self._tickets:
            raise FoldersError("that download is over: begin it again")
        _, making = self._tickets[ticket]
        if not making.done():
            return DataPart(ticket, is_ready=False)
        try:
            body = os.pread(making.result(), PART_BYTES, offset)
        except OSError as error:
            raise FoldersError(f"the folder could not be read: {error.strerror}") from error
        is_last = len(body) < PART_BYTES
        if is_last:
            self._drop(ticket)
        else:
            self._tickets[ticket] = (now + TICKET_SECONDS, making)
        return DataPart(ticket, body, is_last=is_last)

    def _begin(self, deployment: str, key: str) -> DataPart:
        if (deployment, key) not in self._known:
            raise FoldersError("there is no such data folder here")
        if len(self._tickets) >= MAX_TICKETS:
            raise FoldersError(f"{MAX_TICKETS} downloads are under way already: try again later")
        ticket = secrets.token_urlsafe(16)
        home = self._folder(deployment, key) / "home"
        making = asyncio.create_task(asyncio.to_thread(zip_folder, home, self._root))
        self._tickets[ticket] = (time.monotonic() + TICKET_SECONDS, making)
        return DataPart(ticket, is_ready=False)

    def _drop(self, ticket: str) -> None:
        _, making = self._tickets.pop(ticket)
        making.add_done_callback(_close)

    def _folder(self, deployment: str, key: str) -> Path:
        if not _NAME.fullmatch(deployment) or not _NAME.fullmatch(key):
            raise FoldersError("that is no name of a data folder")
        return self._root / deployment / key

    def _write(self, deployment: str, key: str, about: About) -> None:
        self._known[deployment, key] = about
        folder = self._folder(deployment, key)
        part = folder / "about.part"
        part.write_bytes(msgspec.json.encode(about))
        part.rename(folder / "about.json")


def full_words(size_bytes: int, most_bytes: int) -> str:
    return (
        f"its data folder holds {size_words(size_bytes)}, the limit is {size_words(most_bytes)}:"
        " download what you need and delete it, or have the limit raised"
    )


def _size(folder: Path) -> int:
    """Blocks, so that a file with holes counts as what it takes."""
    return sum(_blocks(one) for one in _entries(folder)) * 512


def _entries(folder: Path) -> Iterable[str]:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield os.path.join(parent, name)


def _blocks(path: str) -> int:
    try:
        return os.lstat(path).st_blocks
    except OSError:  # it went away meanwhile
        return 0


def _close(making: asyncio.Task[int]) -> None:
    if not making.cancelled() and making.exception() is None:
        os.close(making.result())
