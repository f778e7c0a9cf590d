"""The kind `source`: one Python file, or a zip with pyproject.toml or package.json, as its owner uploaded it.

What it depends on is resolved, locked and installed as for a package; the source itself lies beside that, read-only,
and is run where it lies. Its own build backend or build script is not run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from common.errors import BadInput
from hosting.kinds import interpreters, npm_sets, source_node, source_python, uv
from hosting.kinds.archive import Archive
from hosting.kinds.failure import BuildFailed
from hosting.kinds.locked import BuildChoices, Launch, Locked, Workplace
from hosting.kinds.reference import Reference

FOLDER = "source"  # inside the environment
START = "start.json"


class Source:
    """The kind `source`. Its reference names the upload by digest; the upload itself is among the choices."""

    def runtime(self, locked: Locked | None = None) -> interpreters.Interpreter:
        is_node = locked is not None and locked.runtime.startswith("node-")
        return interpreters.node() if is_node else interpreters.python()

    def resolve(self, reference: Reference, folder: Path, work: Workplace, choices: BuildChoices) -> Locked:
        archive = _archive(choices)
        try:
            if archive.is_script or source_python.is_project(archive):
                return source_python.resolve(reference, archive, folder, work, choices)
            if "package.json" in archive.members:
                return source_node.resolve(reference, archive, folder, work, choices)
        except BadInput as error:
            raise BuildFailed(error.message) from error
        raise BuildFailed(
            f"{archive.filename} has neither pyproject.toml nor package.json at its top. "
            "Add one that names the dependencies, or upload a single Python file with inline metadata."
        )

    def install(self, locked: Locked, folder: Path, work: Workplace, choices: BuildChoices) -> None:
        archive = _archive(choices)
        try:
            if locked.runtime.startswith("node-"):
                start = source_node.install(locked, archive, folder, work)
            else:
                start = source_python.install(locked, archive, folder, work)
        except BadInput as error:
            raise BuildFailed(error.message) from error
        (folder / START).write_text(json.dumps(start), encoding="utf-8")

    def launch(self, locked: Locked, folder: Path) -> Launch:
        start = _read_start(folder)
        arguments = [*start["options"], str(folder / start["file"])]
        return npm_sets.launch(folder, arguments) if start["runtime"] == "node" else uv.launch(folder, arguments)

    def released(self, reference: Reference, version: str, work: Workplace) -> datetime | None:
        return None

    def descriptions(self, locked: Locked, folder: Path) -> Iterable[Path]:
        return [folder / FOLDER / name for name in ("README.md", "README.rst", "README")]


def _archive(choices: BuildChoices) -> Archive:
    if choices.archive is None:
        raise BuildFailed("The uploaded source isn't there any more. Upload it again.")
    return choices.archive


def _read_start(folder: Path) -> dict[str, Any]:
    try:
        start: dict[str, Any] = json.loads((folder / START).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BuildFailed("This environment doesn't say how its source is started. Deploy it again.") from error
    return start
