"""A copy of this site with a catalogue that `make messages` made: of a language in which every message stands in marks.

Needs GNU gettext (CONTRIBUTING.md).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.languages.marked import CLOSE, CODE, OPEN
from tests.stack import ROOT, Stack


class OwnCopy(Stack):
    """A site that is run from a folder of its own, in English and the language of marks."""

    def __init__(self, home: Path, root: Path, **environment: str) -> None:
        super().__init__(home, SLIPWAY_LANGUAGES=CODE, **environment)
        self._root, self._manage = root, str(root / "manage.py")


def copied(folder: Path) -> Path:
    """The files that git has or would take, with the environment that these tests run in."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():  # not deleted since
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def make_messages(root: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """As a translator would at a shell."""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(["make", "messages", *words], cwd=root, env=environment, capture_output=True, text=True)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def translate(catalogue: Path) -> None:
    """Every message of a .po file into marks, by gettext's own tools."""
    english = subprocess.run(["msgen", catalogue], check=True, capture_output=True).stdout
    marks = ["msgfilter", "--keep-header", "sed", "-e", f"1s/^/{OPEN}/", "-e", f"$s/$/{CLOSE}/"]
    catalogue.write_bytes(subprocess.run(marks, input=english, check=True, capture_output=True).stdout)


def folder_of(root: Path) -> Path:
    return root / "locale" / CODE / "LC_MESSAGES"


def translated(folder: Path) -> Path:
    """A copy, by somebody who ran the command, wrote into both files, and ran it again."""
    root = copied(folder)
    make_messages(root, f"L={CODE}")
    for catalogue in folder_of(root).glob("*.po"):
        translate(catalogue)
    make_messages(root)
    return root
