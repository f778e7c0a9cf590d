"""The kind `npm`: a package of an npm registry, with the newest set of packages that it allows, or one as of a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from hosting.kinds import entry_points, interpreters, npm_sets
from hosting.kinds.locked import BuildChoices, Launch, Locked, Workplace
from hosting.kinds.reference import Reference


class Npm:
    """The kind `npm`."""

    def runtime(self, locked: Locked | None = None) -> interpreters.Interpreter:
        return interpreters.node()

    def resolve(self, reference: Reference, folder: Path, work: Workplace, choices: BuildChoices) -> Locked:
        runtime = self.runtime()
        manifest = {"dependencies": {reference.name: reference.version or "latest"}}
        found = npm_sets.lock(reference, manifest, folder, work, choices)
        version = found.version_of(reference.name)
        # What was asked for ("latest") is no part of the set: two ways to the same packages share an environment.
        found.packages[""] = {"dependencies": {reference.name: version}}
        return Locked(
            kind="npm",
            name=reference.name,
            version=version,
            lock=found.text(),
            packages=len(found.packages) - 1,
            runtime=runtime.version,
            platform=runtime.platform,
            runs_install_code=choices.runs_install_code,
            notices=found.notices,
        )

    def install(self, locked: Locked, folder: Path, work: Workplace, choices: BuildChoices) -> None:
        npm_sets.install(locked, locked.lock, {"dependencies": {locked.name: locked.version}}, folder, work)

    def launch(self, locked: Locked, folder: Path) -> Launch:
        command = entry_points.node_command(folder / "node_modules" / locked.name, locked.name)
        return npm_sets.launch(folder, command)

    def released(self, reference: Reference, version: str, work: Workplace) -> datetime | None:
        return npm_sets.released(reference.name, version, work)

    def descriptions(self, locked: Locked, folder: Path) -> Iterable[Path]:
        return [folder / "node_modules" / locked.name / name for name in ("README.md", "readme.md", "README")]
