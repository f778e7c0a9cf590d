"""Every command of the documentation, as a reader would type it, against a real site. What it prints must be what the
page says that it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from documentation.rendering import EXAMPLE_SITE, Step
from tests.documentation.examples import ROOT, blocks, pages_with_commands
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SECONDS = 600.0  # of one page, downloads of packages included
_END = "\x1eend of step\x1e"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One of their own: the commands drain its runner and turn its keys."""
    site = Stack(tmp_path_factory.mktemp("documented"))
    try:
        yield site.start()
    finally:
        site.stop()


@pytest.mark.parametrize("slug", pages_with_commands())
def test_commands_do_what_the_page_says(slug: str, site: Stack, tmp_path: Path) -> None:
    """One shell for the whole page, in a folder that has the page's files and the site's command."""
    (tmp_path / "manage.py").symlink_to(ROOT / "manage.py")
    script, steps = ["set -u"], []
    for block in blocks():
        if block.page != slug:
            continue
        if block.rest and block.language != "console":
            script.append(f"cp {_kept(tmp_path, block.line, block.content, site)} {block.rest}")
        elif block.is_run:
            for step in block.steps:
                steps.append(step)
                script.append(f"{step.command.replace(EXAMPLE_SITE, site.url)}\nprintf '\\n%s %s\\n' '{_END}' $?")
    readers = {name: value for name, value in site.environment.items() if name != "PORT"}  # the site says which it is
    ran = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env={**readers, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    printed = re.findall(rf"(.*?)\n{_END} (\d+)\n", ran.stdout, re.DOTALL)
    assert len(printed) == len(steps), ran.stdout + ran.stderr
    for step, (text, code) in zip(steps, printed, strict=True):
        assert code == "0", f"{step.command}\n{text}\n{ran.stderr}"
        assert_printed(step, text.replace(site.url, EXAMPLE_SITE))


def _kept(folder: Path, line: int, content: str, site: Stack) -> Path:
    """Where a page's file waits until the commands come to it: a page may show one name twice."""
    path = folder / f".{line}"
    path.write_text(content.replace(EXAMPLE_SITE, site.url))
    return path


def assert_printed(step: Step, text: str) -> None:
    pattern = ".*?".join(re.escape(part) for part in step.output.split("…"))
    assert not step.output or re.fullmatch(pattern, text.strip(), re.DOTALL), f"{step.command}\n{text}"
