"""Sentences of rows and of the runner in another language, and that those listed are really written somewhere."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest
from django.utils import translation

from common.errors import BadInput
from hosting.kinds import parse
from hosting.reasons import MESSAGES, PARTS, in_words, refusals_in_words
from tests.languages.marked import CODE, marked_language, outside

ROOT = Path(__file__).resolve().parents[2]
HOSTING = ROOT / "hosting"
_GAP = "\0"
NOTHING: Mapping[str, ast.expr] = {}


def text_of(node: ast.expr, named: Mapping[str, ast.expr] = NOTHING) -> str:
    """A string as it is written, with a gap for each value in it that isn't `named`; "" for what is none."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_part_of(part, named) for part in parts)
        case _:
            return ""


def _part_of(node: ast.expr, named: Mapping[str, ast.expr]) -> str:
    match node:
        case ast.FormattedValue(value=ast.Name(id=name)) if name in named:
            return text_of(named[name]) or _GAP
        case ast.Constant(value=text):
            return str(text)
        case _:
            return _GAP


def values_of(tree: ast.AST) -> dict[str, list[ast.expr]]:
    """What is assigned to each name in it, in whatever function."""
    found: defaultdict[str, list[ast.expr]] = defaultdict(list)
    for node in ast.walk(tree):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                found[name].append(value)
    return found


def written() -> Iterator[str]:
    """Every text in hosting's Python and of what it quotes; once more with what names of its module stand for in it."""
    elsewhere = [ROOT / name for name in ("common/addresses.py", "common/sizes.py", "oauth/outbound/using.py")]
    for path in (*HOSTING.rglob("*.py"), *elsewhere):
        if "reasons" not in path.parts:
            tree = ast.parse(path.read_text())
            named = {name: values[-1] for name, values in values_of(tree).items()}
            for node in ast.walk(tree):
                if isinstance(node, ast.expr):
                    yield from (gapped(text_of(node)), gapped(text_of(node, named)))


def gapped(message: str) -> str:
    return re.sub(r"%\(\w+\)s", _GAP, message)


def forms(text: str) -> tuple[str, ...]:
    """It may be the end of a sentence that begins with a value or another one, or be followed by such an end, or stand
    within one without its capital."""
    return text, text.removeprefix("; "), f"{_GAP}{text}", text.removesuffix(_GAP), text[:1].lower() + text[1:]


def test_every_message_is_one_that_is_written() -> None:
    found = {gapped(message): message for message in (*MESSAGES, *PARTS)}
    texts = {form for text in written() for form in forms(text)}
    assert [found[text] for text in found.keys() - texts] == []


def test_a_message_has_more_words_than_values() -> None:
    """Otherwise it is found in what others wrote."""
    for message in MESSAGES:
        literals = gapped(message).split(_GAP)
        assert len("".join(literals).strip()) >= 6 or literals == [message], message


# What a sentence is given to by which a build or an upload is refused, an instance ended or a call: functions and
# methods by their names, and which argument it is.
_OF_BUILDS = {
    **dict.fromkeys(("BuildFailed", "UrlInvalid", "LeftoverRefused", "_refused", "_bad", "_no_node"), 0),
    **dict.fromkeys(("BadInput", "Forbidden", "Conflict", "NotFound", "Unavailable", "_failed"), 1),
    "deployment_move": 2,
}
_OF_RUNNERS = {
    **dict.fromkeys(("LaunchFailed", "GaveUpError", "HandshakeError", "BusyError", "AddressRefusedError"), 0),
    **dict.fromkeys(("fail", "announce", "refuse", "turn_away", "LookFailed", "LogFullError"), 0),
    **dict.fromkeys(("TroubleError", "stop_instance", "end_session"), 1),
    "deployment_move": 2,
}


def refusals(source: str, given: Mapping[str, int]) -> Iterator[tuple[int, set[str]]]:
    """Line and text, without and with constants of its module in it, of every sentence that is given to those, at once
    or by a name that got it anywhere, and of what is put among a version's notices."""
    tree = ast.parse(source)
    named = values_of(tree)
    constants = {name: values[0] for name, values in named.items() if name.isupper()}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if name in given:
                said = args[given[name] :][:1]
            case ast.Call(func=ast.Attribute(value=ast.Name(id="notices"), attr="append"), args=said):
                pass
            case ast.Assign(targets=[ast.Name(id="notices")], value=ast.Tuple(elts=said)):
                pass
            case ast.Assign(targets=[ast.Name(id="notice")], value=value):
                said = [value]
            case _:
                continue
        for one in (one for argument in said for one in alternatives(argument, named)):
            if text := text_of(one):
                yield node.lineno, {text, text_of(one, constants)}


def alternatives(node: ast.expr, named: Mapping[str, list[ast.expr]]) -> Iterator[ast.expr]:
    match node:
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            yield from (*alternatives(one, named), *alternatives(other, named))
        case ast.Name(id=name) if name in named:
            yield from named[name]
        case _:
            yield node


@pytest.mark.parametrize(
    ("folders", "given", "least"),
    [
        (("kinds", "environments", "building"), _OF_BUILDS, 100),
        (("runner", "looks", "fleet"), _OF_RUNNERS, 60),
    ],
    ids=["builds", "runners"],
)
def test_every_sentence_that_refuses_something_is_listed(
    folders: Iterable[str], given: Mapping[str, int], least: int
) -> None:
    listed = {form for message in (*MESSAGES, *PARTS) for form in (gapped(message), f"{gapped(message)}{_GAP}")}
    paths = [path for folder in folders for path in (HOSTING / folder).rglob("*.py")]
    found = [(path, line, texts) for path in paths for line, texts in refusals(path.read_text(), given)]
    assert len(found) > least
    missing = [
        f"{path.relative_to(ROOT)}:{line}: {min(texts).replace(_GAP, '{}')}"
        for path, line, texts in found
        if texts.isdisjoint(listed | _NEARLY_ALL_VALUES)
        and path != HOSTING / "kinds/packing.py"  # for ./manage.py host
    ]
    assert not missing, "\n".join(missing)


# They would be found in what others write.
_NEARLY_ALL_VALUES = {
    f"{_GAP} is {_GAP}: {_GAP}",  # a call that comes while its instance ends
    f"; its last lines: {_GAP}",  # looked for by itself
}


def texts_of(source: str, given: Mapping[str, int]) -> list[str]:
    return sorted(text for _, texts in refusals(source, given) for text in texts)


def test_a_sentence_that_is_not_listed_is_found() -> None:
    source = 'raise BuildFailed(f"{name} is new.")\nwords = "It is.", 1\nwhy = "It was."\nraise BadInput("a", why)\n'
    assert texts_of(source, _OF_BUILDS) == [f"{_GAP} is new.", "It was."]
    assert texts_of('raise BadInput("a", gettext("It is."))\nraise BuildFailed(e.reason)', _OF_BUILDS) == []
    assert texts_of('notices.append("It is old.")\nnotices = ("It is odd.", more)', {}) == ["It is odd.", "It is old."]
    assert texts_of('self.exchange.refuse("It is gone.")', _OF_RUNNERS) == ["It is gone."]


@pytest.fixture
def elsewhere() -> Iterator[None]:
    with marked_language(), translation.override(CODE):
        yield


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    "sentence",
    [
        "stopped by its owner",
        "There is no package mcp-tiem on PyPI. Check the spelling of its name.",
        "There is no version 9.0 of demo on PyPI. The newest one is 1.2.",
        "demo needs lib, which needs Python>=3.14, and this site runs Python 3.11. Choose a version of the package "
        "that supports it, or run Slipway with a newer Python.",
        "version 2 could not be built, so version 1 still serves: The package index didn't answer. Try again later.",
        "running: 2 instances, 1 of an earlier version",
        "building: downloading 41 packages",
        "waiting for another build of the same packages",
        "Dependencies as of 2026-05-11 couldn't be installed (The package index didn't answer. Try again later.), and "
        "with today's: exited with code 1; its last lines: ImportError (at 1), and",
        "needs a setting: API_KEY; exited with code 1; memory limit of 512 MB reached; its last lines: KeyError: 'A'",
        "needs the network: it could not reach example.org; did not answer within 0.5 s of its start",
        "is no MCP server that can be spoken to: it refused initialize: no (-32601)",
        "could not be started: its data folder holds 3 MB, the limit is 2 MB: download what you need and delete it, or "
        "have the limit raised",
        "Its install code was stopped: folder limit of 4 GB or 200000 files reached.",
        "What it installed can't be used: lib/a is a link that leads out of the package.",
        "The package demo 1.0 has several commands, and none is named like the package, so it isn't clear which one is "
        "the server: a, b.",
        "pyproject.toml has no [project] table, which is where dependencies and scripts are read from.",
        "“source.zip” is larger than 20 MB. Leave out what isn't source, such as node_modules.",
        "“a_” can't be the host of a server: not a host name.",
        "“x:” isn't a kind of server that Slipway knows: write pypi:mcp-server-time or "
        "npm:@modelcontextprotocol/server-everything, for example.",
        "This server.json offers no package from PyPI or npm that speaks stdio, and no remote; it offers oci.",
        "alice/time is busy: all of its 3 instances are in use",
        "bob uses 512 MiB of 4.00 GiB (quota: memory of awake instances). Free some, or ask an operator of this site "
        "to raise it: ./manage.py quota bob --memory",
        "example.org asks for sign-in: its owner has to connect an account (it answered 401)",
        "example.org leads to a private address (10.0.0.1), which this site does not connect to",
        "The address that it gave is not opened: its host is a number, not a name. Give a plain https address.",
        "example.org is not among the hosts that the organization acme allows pages of.",
    ],
)
def test_a_sentence_is_told_in_the_language_of_its_reader(sentence: str) -> None:
    said = in_words(sentence)
    assert outside(said).strip("; ") == ""
    assert re.sub("[⟦⟧]", "", said) == sentence
    with translation.override("en"):
        assert in_words(sentence) == sentence


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("a/b is busy: all of its 3 instances are in use", "⟦a/b is busy: ⟦all of its 3 instances are in use⟧⟧"),
        (
            "Its installation was stopped: memory limit of 2 MB reached.",
            "⟦⟦Its installation⟧ was stopped: ⟦memory limit of ⟦2 MB⟧ reached⟧.⟧",
        ),
        ("npm couldn't install a: it gave no reason.", "⟦npm couldn't install a: ⟦it gave no reason.⟧⟧"),
        ("exited with code 1; and more", "⟦exited with code 1; and more⟧"),
    ],
)
def test_what_a_sentence_is_made_of_is_translated_too(sentence: str, told: str) -> None:
    assert in_words(sentence) == told


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    "sentence",
    [
        "something else went wrong: 100 %",
        "",
        "The package was pulled",  # a part of others, and nearly all value
        "running: many instances",
        "the user of it answered no",  # a host has no blanks
        "a file and 3 more",
        "The package index didn't answer. Try again later. Or not",
    ],
)
def test_a_sentence_that_is_not_known_stays_as_it_is(sentence: str) -> None:
    assert in_words(sentence) == sentence


@pytest.mark.usefixtures("elsewhere")
def test_what_modules_without_django_refuse_is_told_to_its_reader() -> None:
    with pytest.raises(BadInput) as refused, refusals_in_words():
        parse("pypi:a b")
    assert refused.value.message.startswith("⟦“a b” can't be the name of a PyPI package: ")
    with translation.override("en"), pytest.raises(BadInput) as plain, refusals_in_words():
        parse("pypi:a b")
    assert f"⟦{plain.value.message}⟧" == refused.value.message
