"""What lies between resolving and installing: an exact package set that can be built again anywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from hosting.kinds.commands import Log
from hosting.kinds.interpreters import Interpreter
from hosting.kinds.reference import Reference

DIGEST_FORMAT = 1  # raised when the same lock would give another environment

Progress = Callable[[str, float | None], None]


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

    @property
    def digest(self) -> str:
        """64 hex digits that name the environment; the package's name is in it because it decides what is started."""
        parts = [DIGEST_FORMAT, self.kind, self.name, self.version, self.runtime, self.platform, self.lock]
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
    """What a kind works with: tools' caches live in the store, and `held` descriptors go to every tool it starts."""

    cache: Path
    log: Log
    progress: Progress
    held: tuple[int, ...] = field(default=())


class Kind(Protocol):
    """One sort of package. All three may raise BuildFailed; none runs code of a package."""

    def resolve(self, reference: Reference, folder: Path, work: Workplace) -> Locked:
        """Finds the exact package set, working in an empty folder that goes away."""

    def install(self, locked: Locked, folder: Path, work: Workplace) -> None:
        """Installs the set into an empty folder that will be moved to its final place afterwards."""

    def launch(self, locked: Locked, folder: Path) -> Launch:
        """Reads from the installed packages how the server is started."""

    def runtime(self) -> Interpreter: ...
