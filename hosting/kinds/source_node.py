"""Node.js source: a project with package.json. What it needs is installed above it, where Node.js looks for it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path, PurePosixPath
from typing import Any

from hosting.kinds import entry_points, interpreters, npm_sets
from hosting.kinds.archive import MAX_UNPACKED_BYTES, Archive
from hosting.kinds.failure import BuildFailed
from hosting.kinds.locked import BuildChoices, Locked, Workplace
from hosting.kinds.reference import Reference

MANIFEST = "package.json"
LOCK = "package-lock.json"
# What decides the set. Development needs and the project's own scripts aren't among it.
_DECIDING = ("dependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta", "overrides")
_ELSEWHERE = re.compile(r"^(?:file:|link:|workspace:|git|https?:|[./~]|[\w.-]+/[\w.-]+(?:#|$))")
_ENDINGS = ("", ".js", ".mjs", ".cjs", "/index.js", "/index.mjs", "/index.cjs")


def resolve(reference: Reference, archive: Archive, folder: Path, work: Workplace, choices: BuildChoices) -> Locked:
    """The exact set that the source depends on. Raises BuildFailed or BadInput."""
    node = interpreters.node()
    document = _document(archive)
    name = str(document.get("name") or archive.filename.removesuffix(".zip"))[:200]
    _start_of(document, archive, name)  # before anything is installed
    manifest = _deciding(document)
    text, packages = "", 0
    notices: tuple[str, ...] = ()
    if manifest:
        if LOCK in archive.members and (kept := _own_lock(archive)):
            (folder / LOCK).write_text(kept, encoding="utf-8")
        found = npm_sets.lock(Reference("source", name), manifest, folder, work, choices)
        found.packages[""] = manifest
        text, packages, notices = found.text(), len(found.packages) - 1, found.notices
    version = document.get("version")
    return Locked(
        kind="source",
        name=name,
        version=version if isinstance(version, str) and version else archive.digest[:12],
        lock=text,
        packages=packages,
        runtime=node.version,
        platform=node.platform,
        runs_install_code=choices.runs_install_code and packages > 0,
        source=archive.digest,
        notices=notices,
    )


def install(locked: Locked, archive: Archive, folder: Path, work: Workplace) -> dict[str, Any]:
    """Installs the set, lays the source beside it and says how it is started."""
    document = _document(archive)
    if locked.packages:
        npm_sets.install(locked, locked.lock, _deciding(document), folder, work)
    archive.unpack(folder / "source")
    options, file = _start_of(document, archive, locked.name)
    return {"runtime": "node", "options": options, "file": f"source/{file}"}


def _document(archive: Archive) -> dict[str, Any]:
    try:
        document = json.loads(archive.read(MANIFEST))
    except ValueError as error:
        raise BuildFailed(f"package.json isn't JSON: {error}.") from error
    if not isinstance(document, dict):
        raise BuildFailed("package.json isn't an object.")
    return document


def _deciding(document: dict[str, Any]) -> dict[str, Any]:
    chosen = {key: document[key] for key in _DECIDING if isinstance(document.get(key), dict) and document[key]}
    for key in ("dependencies", "optionalDependencies", "peerDependencies"):
        for name, wanted in chosen.get(key, {}).items():
            if not isinstance(wanted, str) or _ELSEWHERE.match(wanted.strip()):
                raise BuildFailed(
                    f"package.json needs {name} from outside the npm registry ({str(wanted)[:100]}). "
                    "Slipway installs from the registry only."
                )
    return chosen


def _own_lock(archive: Archive) -> str:
    """The project's own lock without addresses, so that npm keeps its versions and asks the registry for them.

    "" for a lock of the first format, which npm would rewrite anyway, and for one that can't be read.
    """
    try:
        document = json.loads(archive.read(LOCK, MAX_UNPACKED_BYTES))
        packages = document["packages"]
        for package in packages.values():
            package.pop("resolved", None)
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    packages.pop("", None)
    return json.dumps({"lockfileVersion": 3, "requires": True, "packages": packages})


def _start_of(document: dict[str, Any], archive: Archive, name: str) -> tuple[list[str], str]:
    """Options of Node.js and the file to run: `bin`, else `scripts.start` of the form `node FILE`, else `main`."""
    commands = entry_points.bin_of(document, name)
    start = (document.get("scripts") or {}).get("start") if isinstance(document.get("scripts"), dict) else None
    main = document.get("main")
    options: list[str] = []
    if commands:
        same = len(set(commands.values())) == 1
        chosen = (
            next(iter(commands))
            if same
            else entry_points.choose(name.rpartition("/")[2], sorted(commands), "package.json")
        )
        file, said = commands[chosen], f"“bin” {chosen}"
    elif isinstance(start, str) and (found := _node_words(start)):
        (options, file), said = found, f"its script “start” ({start[:100]})"
    elif isinstance(main, str) and main:
        file, said = main, "“main”"
    elif "index.js" in archive.members:
        file, said = "index.js", "index.js"
    else:
        raise BuildFailed(
            "package.json doesn't say what to start: it has no “bin”, no “main”, "
            "and no script “start” of the form “node FILE”."
        )
    plain = str(PurePosixPath(file.removeprefix("./")))
    for ending in _ENDINGS:
        if f"{plain}{ending}" in archive.members:
            return options, f"{plain}{ending}"
    raise BuildFailed(
        f"package.json starts {file[:100]} ({said}), and the zip has no such file. "
        "If a build step makes it, run that before you make the zip."
    )


def _node_words(command: str) -> tuple[list[str], str] | None:
    """Of `node [options] FILE`, the options and the file; None for any other command."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if len(words) < 2 or words[0] != "node":
        return None
    options = words[1:-1]
    is_plain = all(re.fullmatch(r"--[a-z0-9-]+(?:=[\w./@-]+)?", word) for word in options)
    return (options, words[-1]) if is_plain and not words[-1].startswith("-") else None
