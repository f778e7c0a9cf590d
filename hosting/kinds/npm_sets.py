"""Sets of npm packages: resolved by `npm install --package-lock-only`, installed by `npm ci` without install scripts.

The lock has no address of a registry: npm finds each tarball by name, version and its own settings, and checks its
hash. With the owner's consent the install scripts run afterwards, by `npm rebuild` in the sandbox.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hosting.kinds import interpreters
from hosting.kinds.commands import Command, Finished, Log, run
from hosting.kinds.failure import BuildFailed
from hosting.kinds.locked import BuildChoices, Launch, Locked, Workplace, end_of
from hosting.kinds.npm_problems import explain
from hosting.kinds.reference import Reference

RESOLVE_SECONDS = 240
CI_SECONDS = 900
REBUILD_SECONDS = 1800
VIEW_SECONDS = 60
NEWEST_SHOWN = 5
FOREIGN_CACHE = ".tool-cache"  # inside the folder of a build, gone before it is done

_COMMON = (
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--no-progress",
    "--no-color",
    "--omit-lockfile-registry-resolved",
    "--allow-git=none",
    "--logs-max=0",
)
# A package can be marked as deprecated later: that mustn't make it another set.
_REMARKS = ("deprecated", "funding", "license")


@dataclass(frozen=True)
class Found:
    """A lock whose packages all come from the registry, each with a hash. "" is what was asked for."""

    lock_version: int
    packages: dict[str, dict[str, Any]]
    notices: tuple[str, ...]

    def text(self) -> str:
        lock = {"lockfileVersion": self.lock_version, "requires": True, "packages": self.packages}
        return json.dumps(lock, indent=1)

    def version_of(self, name: str) -> str:
        version = self.packages.get(f"node_modules/{name}", {}).get("version")
        if not isinstance(version, str):
            raise BuildFailed(f"{name} wasn't in what npm resolved.")
        return version


def lock(
    reference: Reference, manifest: Mapping[str, Any], folder: Path, work: Workplace, choices: BuildChoices
) -> Found:
    """Resolves what a manifest asks for; a lock that lies in the folder is kept to. Raises BuildFailed."""
    _write_manifest(folder, manifest)
    arguments = ["install", "--package-lock-only", *_COMMON]
    if choices.as_of is not None:
        arguments += ["--before", end_of(choices.as_of)]
    finished = _npm(arguments, folder, RESOLVE_SECONDS, work)
    if finished.code:
        log = work.log.text()
        raise explain(reference, finished.output, log, lambda: _newest(reference.name, work))
    written = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    packages: dict[str, dict[str, Any]] = written.get("packages", {})
    packages.setdefault("", {})
    scripted = sorted({_name(path) for path, package in packages.items() if package.get("hasInstallScript")})
    for path, package in packages.items():
        if path:
            _check(path, package, reference, work.log)
        for remark in _REMARKS:
            package.pop(remark, None)
    _drop_unfound(packages)
    notices: tuple[str, ...] = ()
    if scripted and not choices.runs_install_code:
        names = ", ".join(scripted)
        work.log.add(f"Install scripts of these packages are not run: {names}")
        notices = (
            f"Install scripts of these packages are not run: {names}. "
            "Should the server miss what they make, allow install code in its settings.",
        )
    return Found(written["lockfileVersion"], packages, notices)


def install(locked: Locked, lock_text: str, manifest: Mapping[str, Any], folder: Path, work: Workplace) -> None:
    """Makes `folder`/node_modules with what the lock names. Raises BuildFailed."""
    _write_manifest(folder, manifest)
    (folder / "package-lock.json").write_text(lock_text, encoding="utf-8")
    work.progress(f"downloading and installing {locked.count}", 0.25)
    reference = Reference(locked.kind, locked.name, locked.version)
    finished = _npm(["ci", "--omit=dev", *_COMMON], folder, CI_SECONDS, work)
    if finished.code:
        raise explain(reference, finished.output, work.log.text())
    if locked.runs_install_code:
        work.progress("running install scripts", 0.7)
        options = [option for option in _COMMON if option != "--ignore-scripts"]
        rebuilt = _npm(["rebuild", "--foreground-scripts", *options], folder, REBUILD_SECONDS, work, is_foreign=True)
        shutil.rmtree(folder / FOREIGN_CACHE, ignore_errors=True)
        if rebuilt.code:
            raise explain(reference, rebuilt.output, work.log.text())
    work.progress("checking", 0.95)


def launch(folder: Path, arguments: list[str]) -> Launch:
    """How Node.js is started with these arguments in an environment."""
    node = interpreters.node()
    modules = folder / "node_modules"
    path = dict.fromkeys([f"{modules}/.bin", str(node.executable.parent), "/usr/bin", "/bin"])
    return Launch(
        argv=[str(node.executable), *arguments],
        env={"PATH": ":".join(path), "LANG": "C.UTF-8"},
        read_only=[str(folder), *node.read_only],
    )


def released(name: str, version: str, work: Workplace) -> datetime | None:
    """When the registry got this version, if it says."""
    times = _view(name, "time", work)
    try:
        return datetime.fromisoformat(times[version]) if isinstance(times, dict) else None
    except (KeyError, TypeError, ValueError):
        return None


def _newest(name: str, work: Workplace) -> list[str]:
    versions = _view(name, "versions", work)
    found = versions if isinstance(versions, list) else [versions] if versions else []
    return [str(version) for version in reversed(found[-NEWEST_SHOWN:])]


def _view(name: str, what: str, work: Workplace) -> Any:
    finished = _npm(["view", name, what, "--json"], None, VIEW_SECONDS, replace(work, log=Log()))
    try:
        return json.loads(finished.stdout)
    except ValueError:
        return None


def _npm(
    arguments: list[str], folder: Path | None, seconds: float, work: Workplace, *, is_foreign: bool = False
) -> Finished:
    """In the shared cache foreign code could change what other builds install."""
    cache = folder / FOREIGN_CACHE if is_foreign and folder else work.cache / "npm"
    command = Command(
        [interpreters.npm(), *arguments],
        cwd=folder or cache,
        seconds=seconds,
        env={"npm_config_cache": str(cache)},
        held=work.held,
        logs_stdout=False,
        is_foreign=is_foreign,
        reads=interpreters.node().read_only,
        writes=[folder] if folder else (),
        cache=None if is_foreign else cache,
    )
    return run(command, work.log, work.box)


def _write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    (folder / "package.json").write_text(json.dumps({"private": True, **manifest}), encoding="utf-8")


def _check(path: str, package: Mapping[str, Any], reference: Reference, log: Log) -> None:
    """Raises BuildFailed for a package that isn't from the registry or has no hash."""
    if not package.get("inBundle") and ("resolved" in package or "integrity" not in package):
        raise BuildFailed(
            f"{reference.name} needs the package {_name(path)} from outside the npm registry or without a hash, "
            "so what would be installed can't be fixed.",
            log.text(),
        )


def _drop_unfound(packages: dict[str, dict[str, Any]]) -> None:
    """Takes optional needs out that the registry doesn't have: npm leaves them out of its lock without a word, and
    `npm ci` then refuses that lock as incomplete."""
    for path, package in packages.items():
        optional = package.get("optionalDependencies", {})
        unfound = [name for name in optional if not any(place in packages for place in _places(path, name))]
        for name in unfound:
            del optional[name]


def _places(path: str, name: str) -> Iterator[str]:
    """Where Node.js looks for a package, from the inside out, as paths of the lock."""
    while path:
        yield f"{path}/node_modules/{name}"
        path = path.rpartition("node_modules/")[0].rstrip("/")
    yield f"node_modules/{name}"


def _name(path: str) -> str:
    return path.rpartition("node_modules/")[2]
