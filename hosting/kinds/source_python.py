"""Python source: a script with inline metadata (PEP 723), or a project with pyproject.toml (PEP 621).

A project isn't built or installed by its backend: its folders are put on the path, its record is written for it, and
its script's entry point is called. That is what an editable installation comes to, without running anybody's code.
Only with the owner's consent to install code does the backend run, in the sandbox.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

from hosting.kinds import entry_points, interpreters, needs, uv
from hosting.kinds.archive import Archive
from hosting.kinds.failure import BuildFailed
from hosting.kinds.locked import BuildChoices, Locked, Workplace
from hosting.kinds.reference import Reference, pypi_name

PROJECT = "pyproject.toml"
_ENTRY = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*:\s*(?P<object>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")
_SCRIPTS = ("server.py", "main.py", "app.py", "__main__.py")
_LAUNCHER = '''\
"""Calls the entry point that the project's pyproject.toml names."""
import importlib
import sys

sys.argv[0] = {name!r}
target = importlib.import_module({module!r})
for part in {parts!r}:
    target = getattr(target, part)
sys.exit(target())
'''


def is_project(archive: Archive) -> bool:
    """With both files it is the one that describes a project; many Node projects have a pyproject.toml for tools."""
    if PROJECT not in archive.members:
        return False
    return "package.json" not in archive.members or "project" in _document(archive)


def resolve(reference: Reference, archive: Archive, folder: Path, work: Workplace, choices: BuildChoices) -> Locked:
    """The exact set that the source depends on. Raises BuildFailed or BadInput."""
    python = interpreters.python()
    name, version, wanted, notices = _script(archive) if archive.is_script else _project(archive, choices)
    needs.check_python(wanted, python.version.partition("-")[2], python.label, name)
    text, pins = "", dict[str, str]()
    if wanted.requirements:
        text, pins = uv.lock(Reference("source", name), wanted.requirements, folder, work, choices)
    return Locked(
        kind="source",
        name=name,
        version=version or archive.digest[:12],
        lock=text,
        packages=len(pins),
        runtime=python.version,
        platform=python.platform,
        runs_install_code=choices.runs_install_code and (bool(pins) or _has_backend(archive)),
        source=archive.digest,
        notices=tuple(notices),
    )


def install(locked: Locked, archive: Archive, folder: Path, work: Workplace) -> dict[str, Any]:
    """Installs the set, lays the source beside it and says how it is started."""
    uv.install(locked, locked.lock, folder, work)
    archive.unpack(folder / "source")
    # -P: the script's own folder doesn't come first on the path, where a file named like a package would hide it.
    if archive.is_script:
        return {"runtime": "python", "options": ["-P"], "file": f"source/{archive.filename}"}
    project = _document(archive).get("project") or {}
    site = uv.site_of(folder)
    if locked.runs_install_code and _has_backend(archive):
        uv.install_project(locked, folder / "source", folder, work)
        if project.get("scripts") or "scripts" in project.get("dynamic", []):
            *_, script = entry_points.python_command(site, folder / "venv" / "bin", pypi_name(locked.name))
            return {"runtime": "python", "options": ["-P"], "file": f"venv/bin/{Path(script).name}"}
        return {"runtime": "python", "options": ["-P"], "file": _start_of(project, archive, folder, _roots(archive))}
    roots = _roots(archive)
    file = _start_of(project, archive, folder, roots)
    lines = [str(PurePosixPath("../../../..", "source", root)) for root in roots]
    (site / "_source.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _write_record(site, project, locked)
    return {"runtime": "python", "options": ["-P"], "file": file}


def _script(archive: Archive) -> tuple[str, str, needs.Needs, list[str]]:
    found = needs.script_needs(archive.read(archive.filename), archive.filename)
    if found is not None:
        return archive.filename, "", found, []
    words = (
        f"{archive.filename} has no inline metadata, so it runs with the standard library alone. "
        "Name its dependencies in a “# /// script” block (PEP 723)."
    )
    return archive.filename, "", needs.Needs(), [words]


def _project(archive: Archive, choices: BuildChoices) -> tuple[str, str, needs.Needs, list[str]]:
    document = _document(archive)
    project = document.get("project")
    if not isinstance(project, dict):
        hint = " Poetry 2 and newer writes that table, too." if "poetry" in document.get("tool", {}) else ""
        raise BuildFailed(
            f"pyproject.toml has no [project] table, which is where dependencies and scripts are read from.{hint}"
        )
    dynamic = project.get("dynamic", [])
    if "dependencies" in dynamic:
        raise BuildFailed("pyproject.toml leaves its dependencies to its build backend. Write them into [project].")
    name = project.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,99}[A-Za-z0-9])?", name):
        raise BuildFailed("pyproject.toml: [project] has no name.")
    version = project.get("version", "")
    wanted = needs.needs(project.get("dependencies", []), project.get("requires-python", ""), PROJECT)
    notices = []
    if sources := document.get("tool", {}).get("uv", {}).get("sources"):
        notices.append(f"[tool.uv.sources] isn't followed: {', '.join(sorted(sources)[:10])} came from the index.")
    if not (choices.runs_install_code and _has_backend(archive)):
        _start_of(project, archive, None, _roots(archive))  # before anything is installed
    return name, version if isinstance(version, str) else "", wanted, notices


def _has_backend(archive: Archive) -> bool:
    """A project without one is built by setuptools (PEP 518), which has nothing to do for a folder of modules."""
    return not archive.is_script and isinstance(_document(archive).get("build-system"), dict)


def _document(archive: Archive) -> dict[str, Any]:
    try:
        return tomllib.loads(archive.read(PROJECT))
    except tomllib.TOMLDecodeError as error:
        raise BuildFailed(f"pyproject.toml isn't TOML: {error}.") from error


def _roots(archive: Archive) -> list[str]:
    """Folders that hold packages: `src` where there is one, then the top."""
    return ["src", "."] if any(path.startswith("src/") for path in archive.members) else ["."]


def _start_of(project: dict[str, Any], archive: Archive, folder: Path | None, roots: list[str]) -> str:
    """The file to run, below the environment. With `folder` it is written where it has to be."""
    scripts = project.get("scripts")
    if isinstance(scripts, dict) and scripts:
        name = entry_points.choose(pypi_name(str(project.get("name"))), sorted(scripts), "pyproject.toml")
        entry = _ENTRY.match(str(scripts[name]))
        if entry is None:
            raise BuildFailed(f"pyproject.toml: the script {name} isn't written as “module:function”.")
        top = entry["module"].partition(".")[0]
        if not any(_holds(archive, root, top) for root in roots):
            raise BuildFailed(
                f"The script {name} starts {entry[0]}, and there is no module {top} in src or at the top. "
                "Put it there, or allow install code for this server, so that its build backend runs."
            )
        if folder is not None:
            text = _LAUNCHER.format(name=name, module=entry["module"], parts=entry["object"].split("."))
            (folder / "start.py").write_text(text, encoding="utf-8")
        return "start.py"
    return f"source/{_obvious_script(archive, roots)}"


def _obvious_script(archive: Archive, roots: list[str]) -> str:
    tops = [path for path in archive.members if "/" not in path and path.endswith(".py")]
    for name in _SCRIPTS:
        if name in tops:
            return name
    if len(tops) == 1:
        return tops[0]
    mains = [
        path
        for path in archive.members
        if path.endswith("/__main__.py") and path.count("/") == (2 if path.startswith("src/") else 1)
    ]
    if len(mains) == 1:
        return mains[0]
    raise BuildFailed(
        "It isn't clear what to start: pyproject.toml has no [project.scripts], "
        "and there is no server.py, no single Python file at the top and no single package with __main__.py."
    )


def _holds(archive: Archive, root: str, module: str) -> bool:
    prefix = "" if root == "." else f"{root}/"
    return f"{prefix}{module}.py" in archive.members or any(
        path.startswith(f"{prefix}{module}/") for path in archive.members
    )


def _write_record(site: Path, project: dict[str, Any], locked: Locked) -> None:
    """What importlib.metadata finds of the project: many servers ask it for their own version."""
    plain = pypi_name(locked.name).replace("-", "_")
    version = str(project.get("version") or "0")
    if not re.fullmatch(r"[A-Za-z0-9!+._-]{1,100}", version):
        version = "0"
    info = site / f"{plain}-{version}.dist-info"
    if info.exists():
        return
    info.mkdir()
    text = f"Metadata-Version: 2.1\nName: {locked.name}\nVersion: {version}\n"
    (info / "METADATA").write_text(text, encoding="utf-8")
    (info / "INSTALLER").write_text("slipway\n", encoding="utf-8")
