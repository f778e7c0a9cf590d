"""Sets as of a day: what came later doesn't count; and when a version came out."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hosting import environments
from hosting.environments import BuildChoices, BuildFailed
from hosting.kinds import parse
from hosting.kinds.transports import stdio_argument
from tests.packages.local_index import LocalIndex

needs_node = pytest.mark.skipif(not shutil.which("node") or not shutil.which("npm"), reason="needs Node.js")
MAY = BuildChoices(as_of=date(2026, 5, 11))


def output_of(reference: str, store: Path, choices: BuildChoices) -> str:
    built = environments.build(parse(reference), store, lambda text, part: None, choices)
    return subprocess.run(built.argv, env=built.env, cwd="/", capture_output=True, text=True, check=True).stdout


@pytest.fixture
def aged(index: LocalIndex) -> LocalIndex:
    for version, day in (("1.0", "2026-05-11T23:00:00Z"), ("2.0", "2026-05-12T01:00:00Z")):
        index.add_wheel("dep", version, {"dep.py": f"x = 'dep {version}'\n"}, uploaded=day)
        index.add_npm("dep", f"{version}.0", {"index.js": f"module.exports = 'dep {version}'\n"}, uploaded=day)
    main = {"thing.py": "import dep\ndef main(): print(dep.x)\n"}
    index.add_wheel(
        "thing", "1.0", main, scripts={"thing": "thing:main"}, requires=["dep"], uploaded="2026-05-10T09:00:00Z"
    )
    index.add_npm(
        "thing", "1.0.0", {"a.js": "#!/usr/bin/env node\nconsole.log(require('dep'))\n"}, bin="a.js",
        dependencies={"dep": ">=1"}, uploaded="2026-05-10T09:00:00.000Z",
    )  # fmt: skip
    return index


def test_pypi(aged: LocalIndex, store: Path) -> None:
    assert output_of("pypi:thing", store, BuildChoices()) == "dep 2.0\n"
    assert output_of("pypi:thing", store, MAY) == "dep 1.0\n"


@needs_node
def test_npm(aged: LocalIndex, store: Path) -> None:
    assert output_of("npm:thing", store, BuildChoices()) == "dep 2.0\n"
    assert output_of("npm:thing@1.0.0", store, MAY) == "dep 1.0\n"


@needs_node
@pytest.mark.parametrize(("reference", "version"), [("pypi:thing", "1.0"), ("npm:thing", "1.0.0")])
def test_release_day(aged: LocalIndex, store: Path, reference: str, version: str) -> None:
    assert environments.released(parse(reference), version, store) == datetime(2026, 5, 10, 9, tzinfo=UTC)
    assert environments.released(parse(reference), "7.7.7", store) is None


def test_nothing_is_as_old_as_that(aged: LocalIndex, store: Path) -> None:
    with pytest.raises(BuildFailed):
        output_of("pypi:thing", store, BuildChoices(as_of=date(2020, 1, 1)))


def test_install_code_makes_another_environment(aged: LocalIndex, store: Path) -> None:
    built = environments.build(parse("pypi:thing"), store, lambda text, part: None)
    locked = environments.locked(built.digest, store)
    assert locked is not None
    assert replace(locked, runs_install_code=True).digest != locked.digest


@pytest.mark.parametrize(
    ("text", "argument"),
    [
        ("Run with `--stdio` for desktop clients", "--stdio"),
        ('"args": ["-y", "some-server", "--transport", "stdio"]', "--transport stdio"),
        ("some-server --transport=stdio", "--transport=stdio"),
        ('"command": "npx", "args": ["-y", "figma-server", "--stdio"]', "--stdio"),
        ("speaks stdio and HTTP", ""),
        ("use --stdio-path", ""),
    ],
)
def test_argument_for_standard_streams(text: str, argument: str) -> None:
    assert stdio_argument(text) == argument
