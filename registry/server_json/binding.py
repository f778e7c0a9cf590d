"""Whether a JSON value is a server.json at all: members, types, lengths, patterns (API: 422). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext

from registry.server_json.issues import OFTEN_MANY, Breach, path_of
from registry.server_json.shapes import SERVER, Anything, Flag, Many, Members, Named, Shape, Text

Path = tuple[str | int, ...]
_NOT_IN_URI = re.compile(r"[\x00-\x20\x7f]|%(?![0-9A-Fa-f]{2})")


def bind(document: Any, shape: Shape = SERVER) -> list[Breach]:
    """Everything that keeps `document` from binding, up to a hundred; empty when it binds."""
    found: list[Breach] = []
    for breach in _check(document, shape, ()):
        found.append(breach)
        if len(found) == OFTEN_MANY:
            break
    return found


def _check(value: Any, shape: Shape, path: Path) -> Iterator[Breach]:
    match shape:
        case Text():
            yield from _text(value, shape, path)
        case Flag():
            if not isinstance(value, bool):
                yield _wrong(path, "boolean", value)
        case Anything():
            if not isinstance(value, dict):
                yield _wrong(path, "object", value)
        case Many():
            yield from _array(value, shape, path)
        case Named():
            yield from _named(value, shape, path)
        case Members():
            yield from _members(value, shape, path)


def _array(value: Any, shape: Many, path: Path) -> Iterator[Breach]:
    if value is None:
        return
    if not isinstance(value, list):
        yield _wrong(path, "array", value)
        return
    for number, one in enumerate(value):
        yield from _check(one, shape.of, (*path, number))


def _named(value: Any, shape: Named, path: Path) -> Iterator[Breach]:
    if not isinstance(value, dict):
        yield _wrong(path, "object", value)
        return
    for name, one in value.items():
        yield from _check(one, shape.of, (*path, name))


def _members(value: Any, shape: Members, path: Path) -> Iterator[Breach]:
    if not isinstance(value, dict):
        yield _wrong(path, "object", value)
        return
    for name in shape.required:
        if name not in value:
            words = gettext("expected required property %(name)s to be present") % {"name": name}
            yield Breach(path_of((*path, name)), "required", words)
    for name, one in value.items():
        known = shape.members.get(name)
        if known is None and shape.is_open:
            continue
        if known is None:
            words = gettext("unexpected property %(name)s") % {"name": name[:100]}
            yield Breach(path_of(path), "unexpected property", words, name[:100])
        else:
            yield from _check(one, known, (*path, name))


def _text(value: Any, shape: Text, path: Path) -> Iterator[Breach]:
    if not isinstance(value, str):
        yield _wrong(path, "string", value)
        return
    shown = value[:300]
    if "\0" in value:
        yield Breach(path_of(path), "pattern", gettext("expected string without NUL characters"))
    if len(value) < shape.least:
        words = gettext("expected length >= %(least)s") % {"least": shape.least}
        yield Breach(path_of(path), f"minLength {shape.least}", words, shown)
    if shape.most is not None and len(value) > shape.most:
        words = gettext("expected length <= %(most)s") % {"most": shape.most}
        yield Breach(path_of(path), f"maxLength {shape.most}", words, shown)
    if shape.pattern and not _compiled(shape.pattern).fullmatch(value):
        words = gettext("expected string to match pattern %(pattern)s") % {"pattern": shape.pattern}
        yield Breach(path_of(path), "pattern", words, shown)
    if shape.choices and value not in shape.choices:
        words = gettext('expected value to be one of "%(choices)s"') % {"choices": ", ".join(shape.choices)}
        yield Breach(path_of(path), "enum", words, shown)
    if shape.is_uri and not is_uri(value):
        yield Breach(path_of(path), "format uri", gettext("expected string to be RFC 3986 uri"), shown)


def is_uri(text: str) -> bool:
    """A reference is enough here; that it is absolute, and where it leads, is for the rules."""
    if _NOT_IN_URI.search(text):
        return False
    try:
        parts = urlsplit(text)
        return parts.port is None or parts.port >= 0
    except ValueError:
        return False


def _wrong(path: Path, expected: str, value: Any) -> Breach:
    shown = value if value is None or isinstance(value, bool | int | float) else str(value)[:300]
    words = gettext("expected %(type)s") % {"type": expected}
    return Breach(path_of(path), "type", words, shown)


@lru_cache(maxsize=32)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.removeprefix("^").removesuffix("$"))
