"""Commands of a shell end and say what `manage.py` does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shell import Shell
from tests.stack import ROOT, Stack


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return dict(Stack(tmp_path_factory.mktemp("shell")).environment)


@pytest.fixture(scope="module")
def shell(environment: dict[str, str]) -> Iterator[Shell]:
    shell = Shell(ROOT, environment)
    yield shell
    shell.close()


def test_words_and_code_of_one_that_exits_in_words(shell: Shell) -> None:
    said = shell.run(("shell", "--no-imports", "-c", "import sys; sys.exit('in words')"), seconds=60)
    assert (said.returncode, said.stdout, said.stderr) == (1, "", "in words\n")


def test_a_command_says_and_ends_as_that_of_manage_py(shell: Shell, environment: dict[str, str]) -> None:
    words = ("shell", "--no-imports", "-c", "import sys; print(len(sys.argv)); sys.exit(3)")
    own = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    said = shell.run(words, seconds=60)
    assert (said.returncode, said.stdout, said.stderr) == (own.returncode, own.stdout, own.stderr) == (3, "5\n", "")


def test_one_that_there_is_not_ends_in_words(shell: Shell) -> None:
    said = shell.run(("nonsense",), seconds=60)
    assert said.returncode == 1 and "Unknown command: 'nonsense'" in said.stderr


def test_a_command_that_takes_too_long_is_ended(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = f"import os, pathlib, time; pathlib.Path({str(file)!r}).write_text(str(os.getpid())); time.sleep(600)"
    file.touch()
    for seconds in (1, 10, 60):  # until a busy machine has let it come so far
        with pytest.raises(subprocess.TimeoutExpired):
            shell.run(("shell", "--no-imports", "-c", code), seconds)
        if pid := file.read_text():
            break
    assert pid and not os.path.exists(f"/proc/{pid}/exe")


def test_it_ends_with_its_tests(environment: dict[str, str]) -> None:
    shell = Shell(ROOT, environment)
    assert shell.run(("nonsense",), seconds=60).returncode == 1
    process = shell._process
    assert process is not None and process.stdin is not None
    process.stdin.close()  # as it is when whoever holds it is killed
    assert process.wait(60) == 0
    shell._process = None
    shell.close()
