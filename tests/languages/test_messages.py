"""`make messages` as a translator runs it, with GNU gettext, and a site that speaks what came of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.check_messages import pairs
from tests.languages.catalogues import folder_of, make_messages, translated
from tests.languages.marked import CLOSE, OPEN, outside
from tests.languages.test_written import PACKAGES, SCRIPTS
from tests.stack import ROOT

pytestmark = pytest.mark.slow
_OF_PYTHON = {"gettext": 0, "gettext_lazy": 0, "gettext_noop": 0, "ngettext": 0, "ngettext_lazy": 0, "pgettext": 1}
_OF_SCRIPTS = re.compile(r'\bn?gettext\(\s*("(?:[^"\\]|\\.)*")')


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the site, translated by one who ran the command, wrote into both files, and ran it again."""
    return translated(tmp_path_factory.mktemp("copy"))


def compiled(root: Path, domain: str) -> dict[str, str]:
    """Messages, that of one where there is a plural, and what they were translated to."""
    found = pairs((folder_of(root) / f"{domain}.mo").read_bytes())
    return {message.rpartition("\x04")[2].partition("\0")[0]: forms for message, forms in found}


def in_python() -> Iterator[tuple[str, str]]:
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            match call:
                case ast.Call(func=ast.Name(id=name)) if name in _OF_PYTHON:
                    message = call.args[_OF_PYTHON[name]]
                    if isinstance(message, ast.Constant):
                        yield f"{path.relative_to(ROOT)}:{call.lineno}", str(message.value)


def in_scripts() -> Iterator[tuple[str, str]]:
    for path in SCRIPTS:
        for literal in _OF_SCRIPTS.findall(path.read_text()):
            yield path.name, ast.literal_eval(literal)


def test_every_message_of_python_and_scripts_is_collected(root: Path) -> None:
    of_site, of_scripts = compiled(root, "django"), compiled(root, "djangojs")
    assert len(of_site) > 1500 and len(of_scripts) > 150
    assert [(where, message) for where, message in in_python() if message not in of_site] == []
    assert [(where, message) for where, message in in_scripts() if message not in of_scripts] == []


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_a_catalogue_has_words_of_pages_only_and_keeps_what_was_translated(root: Path, domain: str) -> None:
    source = (folder_of(root) / f"{domain}.po").read_text()
    places = {place for line in re.findall(r"^#: (.+)$", source, re.MULTILINE) for place in line.split()}
    known = ("static/js/",) if domain == "djangojs" else ("templates/", *(f"{package}/" for package in PACKAGES))
    assert sorted(place for place in places if not place.startswith(known)) == []
    assert "\n#~ " not in source, "something was taken for gone by the second run"
    _, *entries = source.split("\n\n")
    assert [entry for entry in entries if re.search(r"^#,.*\bfuzzy\b", entry, re.MULTILINE)] == []
    for message, forms in compiled(root, domain).items():
        for form in forms.split("\0") if message else ():
            assert form.startswith(OPEN) and form.endswith(CLOSE) and outside(form) == ""


@pytest.mark.parametrize(
    ("domain", "message"), [("django", "%(errors)s of %(calls)s"), ("djangojs", "Text of %(name)s")]
)
def test_a_translation_with_another_value_is_refused(root: Path, domain: str, message: str) -> None:
    """msgfmt knows the values of Python's messages; those of scripts are held against them by a script of ours."""
    file = folder_of(root) / f"{domain}.po"
    before = file.read_text()
    right = f'msgstr "{OPEN}{message}{CLOSE}"'
    assert before.count(right) == 1
    file.write_text(before.replace(right, right.replace(")s", "x)s")))
    try:
        refused = make_messages(root, check=False)
    finally:
        file.write_text(before)
        make_messages(root)
    assert refused.returncode != 0
    assert "x" in refused.stderr and domain in refused.stderr
