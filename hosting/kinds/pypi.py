"""The kind `pypi`: a package of a Python index, with the newest set of packages that it allows, or one as of a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from hosting.kinds import entry_points, interpreters, uv
from hosting.kinds.failure import BuildFailed
from hosting.kinds.locked import BuildChoices, Launch, Locked, Workplace
from hosting.kinds.reference import Reference, pypi_name


class PyPI:
    """The kind `pypi`."""

    def runtime(self, locked: Locked | None = None) -> interpreters.Interpreter:
        return interpreters.python()

    def resolve(self, reference: Reference, folder: Path, work: Workplace, choices: BuildChoices) -> Locked:
        wanted = reference.name + (f"=={reference.version}" if reference.version else "")
        text, pins = uv.lock(reference, [wanted], folder, work, choices)
        if reference.name not in pins:
            raise BuildFailed(f"{reference.name} wasn't in what uv resolved.", work.log.text())
        return Locked(
            kind="pypi",
            name=reference.name,
            version=pins[reference.name],
            lock=text,
            packages=len(pins),
            runtime=self.runtime().version,
            platform=self.runtime().platform,
            runs_install_code=choices.runs_install_code,
        )

    def install(self, locked: Locked, folder: Path, work: Workplace, choices: BuildChoices) -> None:
        uv.install(locked, locked.lock, folder, work)

    def launch(self, locked: Locked, folder: Path) -> Launch:
        command = entry_points.python_command(uv.site_of(folder), folder / "venv" / "bin", locked.name)
        return uv.launch(folder, command)

    def released(self, reference: Reference, version: str, work: Workplace) -> datetime | None:
        return uv.released(reference.name, version, work)

    def descriptions(self, locked: Locked, folder: Path) -> Iterable[Path]:
        found = uv.site_of(folder).glob("*.dist-info/METADATA")
        return [file for file in found if pypi_name(file.parent.name.partition("-")[0]) == locked.name]
