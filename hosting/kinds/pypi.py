"""PyPI packages: resolved by `uv pip compile` with hashes, installed by `uv pip sync` into a virtual environment.

Wheels only, so that no foreign code runs while an environment is built. The environment is relocatable: it is made in
one folder and moved to another.
"""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path

from uv import find_uv_bin

from hosting.kinds import entry_points, interpreters
from hosting.kinds.commands import Command, Finished, LineSeen, Log, run, tool_environment
from hosting.kinds.failure import BuildFailed
from hosting.kinds.locked import Launch, Locked, Workplace
from hosting.kinds.pypi_problems import explain
from hosting.kinds.reference import Reference, pypi_name

RESOLVE_SECONDS = 180
VENV_SECONDS = 60
SYNC_SECONDS = 900

_COMMON = ("--no-progress", "--color", "never", "--no-python-downloads")
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


class PyPI:
    """The kind `pypi`."""

    def runtime(self) -> interpreters.Interpreter:
        return interpreters.python()

    def resolve(self, reference: Reference, folder: Path, work: Workplace) -> Locked:
        lock = folder / "requirements.txt"
        # Issue 4 adds `--exclude-newer` here, for packages that the newest set of dependencies broke.
        finished = self._compile(reference, work, "--generate-hashes", "--output-file", str(lock))
        if finished.code:
            log = work.log.text()
            raise explain(
                reference, self.runtime().label, finished.output, log, lambda: self._newest(reference.name, work)
            )
        text = lock.read_text(encoding="utf-8")
        pins = {pypi_name(name): version for name, version in _PINNED.findall(text)}
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
        )

    def install(self, locked: Locked, folder: Path, work: Workplace) -> None:
        lock = folder / "requirements.txt"
        lock.write_text(locked.lock, encoding="utf-8")
        venv = folder / "venv"
        made = self._uv(
            ["venv", "--relocatable", "--no-project", "--python", str(self.runtime().executable), str(venv)],
            VENV_SECONDS,
            work,
        )
        if made.code:
            raise BuildFailed(f"uv couldn't make a virtual environment for {self.runtime().label}.", work.log.text())
        work.progress(f"downloading {locked.count}", 0.25)
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

        arguments = ["pip", "sync", "--python", str(venv / "bin" / "python"), "--require-hashes", "--compile-bytecode"]
        arguments += ["--only-binary", ":all:", "--link-mode", "hardlink", str(lock)]
        synced = self._uv(arguments, SYNC_SECONDS, work, line_seen)
        if synced.code:
            reference = Reference("pypi", locked.name, locked.version)
            raise explain(reference, self.runtime().label, synced.output, work.log.text())

    def launch(self, locked: Locked, folder: Path) -> Launch:
        venv = folder / "venv"
        site = Path(sysconfig.get_path("purelib", "venv", {"base": str(venv), "platbase": str(venv)}))
        return Launch(
            argv=[str(venv / "bin" / "python"), *entry_points.python_command(site, venv / "bin", locked.name)],
            env={
                "PATH": f"{venv}/bin:/usr/bin:/bin",
                "LANG": "C.UTF-8",
                # Everything is compiled already, and the environment stays as it was checked.
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            read_only=[str(folder), *self.runtime().read_only],
        )

    def _compile(self, reference: Reference, work: Workplace, *options: str) -> Finished:
        wanted = reference.name + (f"=={reference.version}" if reference.version else "")
        arguments = ["pip", "compile", "-", "--quiet", "--no-header", "--no-annotate", "--no-emit-index-url"]
        arguments += ["--only-binary", ":all:", "--python", str(self.runtime().executable), *options]
        return self._uv(arguments, RESOLVE_SECONDS, work, stdin=wanted + "\n")

    def _newest(self, name: str, work: Workplace) -> str | None:
        """The newest version that could be installed here; what the index said is in uv's cache by now."""
        quiet = Workplace(work.cache, Log(), work.progress, work.held)
        found = self._compile(Reference("pypi", name), quiet, "--no-deps")
        match = _PINNED.search(found.stdout) if not found.code else None
        return match[2] if match else None

    def _uv(
        self, arguments: list[str], seconds: float, work: Workplace, line_seen: LineSeen | None = None, stdin: str = ""
    ) -> Finished:
        env = {} if "UV_CACHE_DIR" in tool_environment() else {"UV_CACHE_DIR": str(work.cache / "uv")}
        # Run in "/", because uv takes settings from a pyproject.toml in any folder above the one it starts in.
        command = Command(
            [find_uv_bin(), *arguments, *_COMMON],
            cwd=Path("/"),
            seconds=seconds,
            env=env,
            stdin=stdin,
            held=work.held,
            logs_stdout=False,
        )
        return run(command, work.log, line_seen)
