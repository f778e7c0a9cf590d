"""Which program of an installed package is the server: reads what the package declares and chooses, or says why not.

Nothing of the package is run or imported here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath
from typing import Any

from hosting.kinds.failure import BuildFailed
from hosting.kinds.reference import pypi_name

_SHEBANG = re.compile(r"#!\s*(?:/\S*/)?(?:env(?:\s+-S)?\s+)?(?P<program>[^\s/]+)(?P<options>[^\n]*)")


def python_command(site: Path, bin_folder: Path, name: str) -> list[str]:
    """The arguments after the interpreter that start this package: its console script, or `-m` with its `__main__`."""
    package = _distribution(site, name)
    scripts = sorted(
        entry.name
        for entry in package.entry_points
        if entry.group == "console_scripts" and (bin_folder / entry.name).is_file()
    )
    if scripts:
        named = f"{name} {package.version}"
        return [str(bin_folder / choose(name, scripts, f"The package {named}"))]
    modules = _runnable_modules(package)
    if not modules:
        raise BuildFailed(
            f"The package {name} {package.version} has no command to start: no console script and no __main__ module. "
            "It is probably a library; name the package that holds the server."
        )
    # -P keeps the working folder, which the server can write, off the import path.
    return ["-P", "-m", choose(name, modules, f"The package {name} {package.version} has no console script; it")]


def node_command(folder: Path, name: str) -> list[str]:
    """The arguments after `node` that start this package: options of its `#!` line, then the file of its `bin`."""
    try:
        manifest = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BuildFailed(f"The package {name} has no readable package.json.") from error
    named = f"{name} {manifest.get('version', '')}".rstrip()
    label = f"The package {named}"
    commands = bin_of(manifest, name)
    if not commands:
        raise BuildFailed(
            f"{label} has no command to start: its package.json names no “bin”. "
            "It is probably a library; name the package that holds the server."
        )
    if len(set(commands.values())) == 1:
        command = next(iter(commands))
    else:
        command = choose(name.rpartition("/")[2], sorted(commands), label)
    file = (folder / commands[command]).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise BuildFailed(f"{label} names {commands[command]} as its command {command}, but has no such file.")
    return [*_node_options(file, label), str(file)]


def choose(name: str, commands: Iterable[str], label: str) -> str:
    """The command that is the server: the only one, the one named like the package, or the only one that says MCP."""
    commands = list(commands)
    if len(commands) == 1:
        return commands[0]
    for is_it in (
        lambda command: command == name,
        lambda command: _letters(command) == _letters(name),
        lambda command: "mcp" in _letters(command),
    ):
        fitting = [command for command in commands if is_it(command)]
        if len(fitting) == 1:
            return fitting[0]
    raise BuildFailed(
        f"{label} has several commands, and none is named like the package, "
        f"so it isn't clear which one is the server: {', '.join(commands[:20])}."
    )


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _distribution(site: Path, name: str) -> Distribution:
    for package in distributions(path=[str(site)]):
        if pypi_name(package.name) == name:
            return package
    raise BuildFailed(f"The package {name} was installed, but left no record of itself: its wheel is broken.")


def _runnable_modules(package: Distribution) -> list[str]:
    """Dotted names of the packages with a `__main__`, without those inside another (`tests` of a package, say)."""
    files = [PurePosixPath(file) for file in package.files or ()]
    homes = sorted(
        file.parent
        for file in files
        if file.name == "__main__.py" and file.parts[:-1] and all(part.isidentifier() for part in file.parts[:-1])
    )
    return [".".join(home.parts) for home in homes if not any(parent in homes for parent in home.parents)]


def bin_of(manifest: Mapping[str, Any], name: str) -> dict[str, str]:
    declared = manifest.get("bin")
    if isinstance(declared, str):
        return {name.rpartition("/")[2]: declared}
    if isinstance(declared, dict):
        return {str(command): path for command, path in declared.items() if isinstance(path, str)}
    return {}


def _node_options(file: Path, label: str) -> list[str]:
    with file.open("rb") as opened:
        first = opened.readline(1000).decode("utf-8", "replace")
    if not first.startswith("#!"):
        return []
    shebang = _SHEBANG.match(first)
    program = shebang["program"] if shebang else first[2:].strip()
    if shebang and program in ("node", "nodejs"):
        return shebang["options"].split()
    raise BuildFailed(f"{label} wants to be started by “{program}”; Slipway starts npm packages with Node.js only.")
