"""Sets of Python packages: resolved by `uv pip compile` with hashes, installed by `uv pip sync` into an environment.

Wheels only, so that no foreign code runs while one is built, unless its owner has agreed to that (BuildChoices). The
environment is relocatable: it is made in one folder and moved to another.
"""

from __future__ import annotations

import re
import shutil
import sysconfig
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from uv import find_uv_bin

from hosting.kinds import interpreters
from hosting.kinds.commands import Command, Finished, LineSeen, Log, run
from hosting.kinds.failure import BuildFailed
from hosting.kinds.locked import BuildChoices, Launch, Locked, Workplace, end_of
from hosting.kinds.pypi_problems import explain
from hosting.kinds.reference import Reference, pypi_name

RESOLVE_SECONDS = 180
VENV_SECONDS = 60
SYNC_SECONDS = 900
COMPILED_SECONDS = 1800  # with packages that are compiled here

FOREIGN_CACHE = ".tool-cache"  # inside the folder of a build, gone before it is done
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
_COMMON = ("--no-progress", "--color", "never", "--no-python-downloads")
_FROM_ADDRESS = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*) @ ", re.MULTILINE)


def resolve(
    requirements: Sequence[str], work: Workplace, choices: BuildChoices, *options: str, folder: Path | None = None
) -> Finished:
    """The exact set for these requirements, on stdout unless the options name a file in `folder`."""
    arguments = ["pip", "compile", "-", "--quiet", "--no-header", "--no-annotate", "--no-emit-index-url"]
    arguments += ["--python", str(interpreters.python().executable), *options]
    if choices.as_of is not None:
        arguments += ["--exclude-newer", end_of(choices.as_of)]
    if not choices.runs_install_code:
        arguments += ["--only-binary", ":all:"]
    stdin = "\n".join(requirements) + "\n"
    is_foreign = choices.runs_install_code and folder is not None
    return _uv(arguments, RESOLVE_SECONDS, work, folder, stdin=stdin, is_foreign=is_foreign)


def lock(
    reference: Reference, requirements: Sequence[str], folder: Path, work: Workplace, choices: BuildChoices
) -> tuple[str, dict[str, str]]:
    """The lock's text and its packages, name → version. Raises BuildFailed."""
    file = folder / "requirements.txt"
    finished = resolve(requirements, work, choices, "--generate-hashes", "--output-file", str(file), folder=folder)
    if finished.code:
        raise explain(
            reference,
            interpreters.python().label,
            finished.output,
            work.log.text(),
            lambda: newest(reference.name, work),
        )
    text = file.read_text(encoding="utf-8")
    if found := _FROM_ADDRESS.search(text):
        raise BuildFailed(f"{reference.name} needs {found[1]} from an address, not from the index.", work.log.text())
    return text, {pypi_name(name): version for name, version in PINNED.findall(text)}


def newest(name: str, work: Workplace) -> str | None:
    """The newest version that could be installed here; what the index said is in uv's cache by now."""
    found = resolve([name], _quiet(work), BuildChoices(), "--no-deps")
    match = PINNED.search(found.stdout) if not found.code else None
    return match[2] if match else None


def released(name: str, version: str, work: Workplace) -> datetime | None:
    """When the index got the files of this version first; None where it doesn't say (it is optional: PEP 700)."""
    wanted = f"{name}=={version}"
    found = resolve([wanted], _quiet(work), BuildChoices(), "--no-deps", "--format", "pylock.toml")
    try:
        packages = tomllib.loads(found.stdout).get("packages", []) if not found.code else []
    except tomllib.TOMLDecodeError:
        return None
    files = [file for package in packages for file in [*package.get("wheels", []), package.get("sdist", {})]]
    times = [file["upload-time"] for file in files if isinstance(file.get("upload-time"), datetime)]
    return min(times, default=None)


def install(locked: Locked, lock_text: str, folder: Path, work: Workplace) -> None:
    """Makes `folder`/venv with what the lock names. Raises BuildFailed."""
    venv = folder / "venv"
    made = _uv(
        ["venv", "--relocatable", "--no-project", "--python", str(interpreters.python().executable), str(venv)],
        VENV_SECONDS,
        work,
        folder,
    )
    if made.code:
        raise BuildFailed(f"uv couldn't make a virtual environment for {interpreters.python().label}.", work.log.text())
    if not PINNED.search(lock_text):
        return
    file = folder / "requirements.txt"
    file.write_text(lock_text, encoding="utf-8")
    work.progress(f"downloading {locked.count}", 0.25)
    arguments = ["pip", "sync", "--python", str(venv / "bin" / "python"), "--require-hashes", "--compile-bytecode"]
    arguments += ["--link-mode", "copy", str(file)]  # what a later build may write to is no part of an environment
    if not locked.runs_install_code:
        arguments += ["--only-binary", ":all:"]
    synced = _uv(
        arguments,
        COMPILED_SECONDS if locked.runs_install_code else SYNC_SECONDS,
        work,
        folder,
        _steps(locked, work),
        is_foreign=locked.runs_install_code,
    )
    shutil.rmtree(folder / FOREIGN_CACHE, ignore_errors=True)
    if synced.code:
        reference = Reference(locked.kind, locked.name, locked.version)
        raise explain(reference, interpreters.python().label, synced.output, work.log.text())


def install_project(locked: Locked, source: Path, folder: Path, work: Workplace) -> None:
    """Builds and installs a project with its own backend, in the sandbox, into an environment that has all it needs."""
    work.progress("building the project", 0.85)
    arguments = ["pip", "install", "--python", str(folder / "venv" / "bin" / "python"), "--no-deps", str(source)]
    arguments += ["--compile-bytecode"]
    done = _uv(arguments, COMPILED_SECONDS, work, folder, _steps(locked, work), is_foreign=True)
    shutil.rmtree(folder / FOREIGN_CACHE, ignore_errors=True)
    if done.code:
        raise explain(Reference(locked.kind, locked.name), interpreters.python().label, done.output, work.log.text())


def site_of(folder: Path) -> Path:
    """The site-packages of an environment."""
    venv = str(folder / "venv")
    return Path(sysconfig.get_path("purelib", "venv", {"base": venv, "platbase": venv}))


def launch(folder: Path, arguments: Sequence[str]) -> Launch:
    """How the environment's interpreter is started with these arguments."""
    venv = folder / "venv"
    return Launch(
        argv=[str(venv / "bin" / "python"), *arguments],
        env={
            "PATH": f"{venv}/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            # Everything is compiled already, and the environment stays as it was checked.
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        read_only=[str(folder), *interpreters.python().read_only],
    )


def _steps(locked: Locked, work: Workplace) -> LineSeen:
    """Turns uv's lines into progress."""
    steps = {
        "Prepared": (f"installing {locked.count}", 0.65),
        "Installed": ("compiling", 0.75),
        "Bytecode": ("checking", 0.95),
    }

    def line_seen(line: str) -> None:
        word, _, rest = line.strip().partition(" ")
        if word in steps:
            work.progress(*steps.pop(word))
        elif word == "Downloading":  # only the large ones are announced, with their size
            work.progress(f"downloading {rest}", None)
        elif word == "Building":
            work.progress(f"building {rest.partition('==')[0]}", None)

    return line_seen


def _quiet(work: Workplace) -> Workplace:
    return replace(work, log=Log())


def _uv(
    arguments: list[str],
    seconds: float,
    work: Workplace,
    folder: Path | None,
    line_seen: LineSeen | None = None,
    stdin: str = "",
    *,
    is_foreign: bool = False,
) -> Finished:
    """`folder` is what the tool writes to. When it may run foreign code its cache is in there, too: in the shared one
    such code could change what other builds install."""
    cache = folder / FOREIGN_CACHE if is_foreign and folder else work.cache / "uv"
    # Run in "/", because uv takes settings from a pyproject.toml in any folder above the one it starts in.
    command = Command(
        [find_uv_bin(), *arguments, *_COMMON],
        cwd=Path("/"),
        seconds=seconds,
        env={"UV_CACHE_DIR": str(cache)},
        stdin=stdin,
        held=work.held,
        logs_stdout=False,
        is_foreign=is_foreign,
        reads=interpreters.python().read_only,
        writes=[folder] if folder else (),
        cache=None if is_foreign else cache,
    )
    return run(command, work.log, work.box, line_seen)
