"""What a secret is given to: the package or address, the owner, and the declared input that it fills. Pure.

The vault keeps it with each secret and compares it at every start. Another version of the same package is the same; the
words around an input (its description, its default) are no part of it, since publishers mend them with every release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from common.errors import BadInput
from hosting.configuration.inputs import key_of
from hosting.kinds.declared import Declared
from hosting.kinds.reference import parse

PACKAGE, SOURCE, ORIGIN, OWNER, FILLS = "package", "source", "origin", "owner", "fills"
_WORDS: Final = {PACKAGE: "package", SOURCE: "uploaded source", ORIGIN: "address", OWNER: "owner", FILLS: "used as"}


def origin_of(url: str) -> str:
    """RFC 6454, 4: scheme, host and port, as they stand in an address of one spelling (hosting.kinds.remote)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def package_of(reference: str, url: str = "") -> dict[str, str]:
    """What a version is made from, whichever version that is. `url`: where it is, of a remote server."""
    if url:
        return {PACKAGE: "remote", ORIGIN: origin_of(url)}
    try:
        found = parse(reference)
    except BadInput:  # written by another release of ours
        return {PACKAGE: reference}
    if found.kind == "source":
        return {PACKAGE: "source", SOURCE: found.name}
    if found.kind == "remote":
        return package_of("", found.name)
    return {PACKAGE: f"{found.kind}:{found.name}"}


def given_by_owner(package: Mapping[str, str]) -> dict[str, str]:
    """What an owner's own settings are given to: who deploys something else knows that, but a host that keys are sent
    to is looked at twice."""
    return {ORIGIN: package[ORIGIN]} if ORIGIN in package else {}


def given_by_others(
    package: Mapping[str, str], owner: str, declared: Sequence[Declared], wanted: Sequence[Declared]
) -> dict[str, dict[str, Any]]:
    """By key, what users and organizations give theirs to. `owner` is the folded name of the deployment's, `wanted` are
    the inputs in question, `declared` is where they stand."""
    return {key_of(one): {**package, OWNER: owner, FILLS: _fills(one, declared)} for one in wanted}


def _fills(one: Declared, declared: Sequence[Declared]) -> dict[str, Any]:
    """Where the value goes, and how it is treated there."""
    around = next((each for each in declared if key_of(one) in map(key_of, each.variables)), None)
    found: dict[str, Any] = {"where": one.where, "name": one.flag or one.name, "is_secret": one.is_secret}
    if around is not None:
        found |= {"into": f"{around.where}:{around.flag or around.name}", "template": around.value_template}
    if one.format == "filepath":
        found["format"] = one.format
    return found


def differences(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(what, before, now) in plain words, for each thing that is another one now."""
    for what, words in _WORDS.items():
        old = "" if before is None else _said(what, before.get(what))
        new = _said(what, now.get(what))
        if before is None and new:
            yield words, "not known: it was stored before this site kept that", new
        elif old != new or (before is not None and before.get(what) != now.get(what)):
            yield words, old or "none", new or "none"


def _said(what: str, value: Any) -> str:
    if not value:
        return ""
    if what == SOURCE:
        return f"SHA-256 {value}"
    if what == FILLS and isinstance(value, Mapping):
        return _use(value)
    return str(value)


_PLACES: Final = {"env": "environment variable", "header": "header", "argument": "argument", "variable": "variable"}


def _use(fills: Mapping[str, Any]) -> str:
    words = f"{_PLACES.get(str(fills.get('where')), 'setting')} {fills.get('name')}"
    if fills.get("into"):
        where, _, name = str(fills["into"]).partition(":")
        words += f" in {_PLACES.get(where, 'setting')} {name}, “{fills.get('template')}”"
    if fills.get("format"):
        words += ", as a file"
    return words + ("" if fills.get("is_secret") else ", not hidden in what the server says")
