"""Words for people in Python and in scripts are given to be translated where they are written. Reads files only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Who says what programs read, operators type, or knows nothing of Django. What they say stays English.
_ENGLISH = (
    *("common/api", "config/bodies.py", "config/launch", "hosting/api", "hosting/environments"),
    *("hosting/configuration/given.py", "hosting/credentials/waiting.py", "hosting/fleet", "hosting/kinds"),
    *("hosting/questions/forms.py", "hosting/routing.py", "hosting/runner", "hosting/stream", "oauth/keys.py"),
    *("hosting/tasks/accepting.py", "hosting/tasks/bodies.py", "hosting/tools/definitions.py", "oauth/clients"),
    *("oauth/authentication.py", "oauth/outbound/requests.py", "oauth/outbound/vault.py", "oauth/redirects.py"),
    *("oauth/remote_keys.py", "oauth/validator.py", "oauth/views/open.py", "registry/api", "registry/importing"),
    *("registry/proofs/id_tokens.py", "registry/proofs/issuers.py", "registry/proofs/records.py", "vault/keys.py"),
    *("registry/proofs/dns.py", "registry/proofs/signed_times.py", "registry/proofs/single_use.py"),
    *("registry/proofs/site.py", "registry/proofs/tokens.py", "registry/proofs/well_known.py"),
)
PACKAGES = ("accounts", "common", "config", "documentation", "events", "hosting", "oauth", "registry", "vault")
_FORM = frozenset(("label", "help_text", "empty_label"))
_WORDS = re.compile(r"[A-Za-z]{2,}")


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/" not in name and "/management/" not in name and not name.startswith(_ENGLISH):
                yield path


@cache
def errors() -> frozenset[str]:
    """AppError and what is made of it, by name, whether somebody has imported it or not."""
    sources = [path.read_text() for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    bases = dict(pair for source in sources for pair in re.findall(r"^class (\w+)\((\w+)\):", source, re.MULTILINE))
    known = {"AppError"}
    while fresh := {name for name, base in bases.items() if base in known} - known:
        known |= fresh
    return frozenset(known)


def unwrapped(source: str, *, are_models: bool = False) -> list[int]:
    """Lines of messages of errors, of flashes and of forms that are plain strings."""
    known, found = errors(), []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        said = [each.value for each in call.keywords if each.arg in _FORM and not are_models]
        match call.func:
            case ast.Name(id=name) if name in known:
                said += call.args[1:2]
            case ast.Attribute(value=ast.Name(id="messages"), attr="success" | "error" | "warning" | "info"):
                said += call.args[1:2]
            case ast.Attribute(attr="attempt" | "add_error"):
                said += call.args[1:2]
            case ast.Attribute(attr="ValidationError") | ast.Name(id="ValidationError"):
                said += call.args[:1]
        found += [each.lineno for each in said for part in _parts(each) if _WORDS.search(part)]
    return found


def _parts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr():
            yield "".join(str(each.value) for each in node.values if isinstance(each, ast.Constant))
        case ast.IfExp():
            yield from [*_parts(node.body), *_parts(node.orelse)]


def test_no_message_of_a_page_is_a_plain_string() -> None:
    paths = list(modules())
    assert len(paths) > 300
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in paths
        for line in unwrapped(path.read_text(), are_models="models" in path.parts or path.stem == "models")
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('raise Conflict("taken", "It is taken.")', [1]),
        ('raise Conflict("taken", f"{name} is taken.")', [1]),
        ('raise Conflict("taken", gettext("It is taken."))', []),
        ('messages.success(request, "Saved." if saved else gettext("No."))', [1]),
        ('forms.CharField(label="Name", help_text=gettext_lazy("Short."))', [1]),
        ('raise Conflict("taken", f"{one}: {other}")', []),
    ],
)
def test_a_plain_string_is_found(source: str, lines: list[int]) -> None:
    assert unwrapped(source) == lines


def within_strings(source: str) -> list[int]:
    """Lines where a message is looked up within an f-string: xgettext does not read those, so no catalogue has it."""
    strings = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr))
    calls = (each for string in strings for each in ast.walk(string) if isinstance(each, ast.Call))
    names = ((call.lineno, getattr(call.func, "id", "")) for call in calls)
    return [line for line, name in names if name.removesuffix("_lazy").endswith("gettext")]


def test_no_message_stands_within_a_string() -> None:
    found = [f"{path.relative_to(ROOT)}:{line}" for path in modules() for line in within_strings(path.read_text())]
    assert not found, "\n".join(found)
    assert within_strings('a = f"{gettext(1)} {name}"') == [1]


SCRIPTS = sorted((ROOT / "static/js").rglob("*.js"))
# A sentence, or a word as buttons have it.
_SAID = re.compile(r'(?<!gettext\()(?<=[\s(\[{?:=,])(["`])([A-Z][a-z]+(?:[ ,.…:][^"`]*)?)\1')
# What servers and apps are told, and names.
_NOT_SAID = re.compile(
    r"new (?:Denied|Declined)\(|close\(|^(?:Bearer|Authorization|Enter|Escape|None|True|False|Python|Accept)\b|^Slipway"
    r"|^(?:Content-Type|Mcp-|Last-Event)|^TypeScript|^The page answered"
)


def said(line: str) -> list[str]:
    """Strings for people that a line of a script has outside of gettext and ngettext."""
    code = re.sub(r"(?:^|(?<=\s))//.*", "", line)
    code = re.sub(r'n?gettext\((?:\s*"(?:[^"\\]|\\.)*",?)+', "gettext(", code)
    return [text for _, text in _SAID.findall(code) if not _NOT_SAID.search(text) and not _NOT_SAID.search(code)]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_word_of_a_script_is_a_plain_string(path: Path) -> None:
    assert [text for line in path.read_text().splitlines() for text in said(line)] == []


def test_a_plain_string_of_a_script_is_found() -> None:
    assert said('part("status").textContent = "Not connected";') == ["Not connected"]
    assert said('const again = button("Retry", connect);') == ["Retry"]
    assert said("announce(`Connected to ${server}`);") == ["Connected to ${server}"]
    assert said('announce(ngettext("One item", "%(count)s items", 2)); // "Not code"') == []
