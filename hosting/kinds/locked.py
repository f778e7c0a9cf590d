"""What lies between resolving and installing: an exact package set that can be built again anywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

from hosting.kinds.archive import Archive
from hosting.kinds.boxed import Box
from hosting.kinds.commands import Log
from hosting.kinds.interpreters import Interpreter
from hosting.kinds.reference import Reference

DIGEST_FORMAT = 1  # raised when the same lock would give another environment

Progress = Callable[[str, float | None], None]


@dataclass(frozen=True)
class BuildChoices:
    """What the owner chose and what is known besides the reference.

    `as_of`: packages that came after this day don't count. `runs_install_code`: install scripts and source
    distributions are allowed. `archive`: what was uploaded.
    """

    as_of: date | None = None
    runs_install_code: bool = False
    sandbox: str = "bubblewrap"  # where the tools run; "insecure" for sites that have none
    archive: Archive | None = None


@dataclass(frozen=True)
class Locked:
    """`lock` is the text that the package tool installs from; it holds hashes and no address of an index."""

    kind: str
    name: str
    version: str
    lock: str
    packages: int
    runtime: str  # version of the interpreter
    platform: str
    runs_install_code: bool = False
    source: str = ""  # digest of the uploaded source
    notices: tuple[str, ...] = ()  # sentences for the owner; no part of the set

    @property
    def digest(self) -> str:
        """64 hex digits that name the environment; the package's name is in it because it decides what is started."""
        parts = [DIGEST_FORMAT, self.kind, self.name, self.version, self.runtime, self.platform, self.lock]
        if self.runs_install_code:
            parts.append("with install code")
        if self.source:
            parts.append(f"source {self.source}")
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def count(self) -> str:
        return "1 package" if self.packages == 1 else f"{self.packages} packages"

    @property
    def resolved(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Launch:
    """How to start what is installed in a folder."""

    argv: list[str]
    env: dict[str, str]
    read_only: list[str]  # absolute paths that a sandbox binds, besides /usr


@dataclass(frozen=True)
class Workplace:
    """What a kind works with: tools' caches live in the store; without a box, `held` descriptors go to every tool."""

    cache: Path
    log: Log
    progress: Progress
    box: Box | None
    held: tuple[int, ...] = field(default=())


class Kind(Protocol):
    """One sort of package. All may raise BuildFailed; none runs code of a package outside the sandbox."""

    def resolve(self, reference: Reference, folder: Path, work: Workplace, choices: BuildChoices) -> Locked:
        """Finds the exact package set, working in an empty folder that goes away."""

    def install(self, locked: Locked, folder: Path, work: Workplace, choices: BuildChoices) -> None:
        """Installs the set into an empty folder that will be moved to its final place afterwards."""

    def launch(self, locked: Locked, folder: Path) -> Launch:
        """Reads from the installed packages how the server is started."""

    def runtime(self, locked: Locked | None = None) -> Interpreter:
        """The interpreter of this set, or the one that a new set of this kind would be resolved for."""

    def released(self, reference: Reference, version: str, work: Workplace) -> datetime | None:
        """When this version came out, as far as the index says; None for what has no release."""

    def descriptions(self, locked: Locked, folder: Path) -> Iterable[Path]:
        """Files in which the package describes itself, the best one first; they may be missing."""


def end_of(day: date) -> str:
    """The first moment after a day, as uv and npm read it."""
    return f"{day + timedelta(days=1):%Y-%m-%d}T00:00:00Z"
