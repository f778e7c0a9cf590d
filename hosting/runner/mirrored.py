"""`Mcp-Param-*`: which of a tool's arguments are mirrored in HTTP headers, and how values are written there. Pure.

2026-07-28 basic/transports/streamable-http, "Custom Headers from Tool Parameters" and "Value Encoding". Both sides need
it: the endpoint compares what its clients sent, and the runner is itself a client of remote servers.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

KEYWORD: Final = "x-mcp-header"
PARAM: Final = b"mcp-param-"  # the beginning of those headers

SENTINEL = re.compile(r"=\?base64\?(.*)\?=\Z", re.DOTALL)
SAFE = re.compile(r"[\x20-\x7e]*\Z")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}\Z")  # RFC 9110 section 5.6.2
_TYPES: Final = frozenset({"string", "integer", "boolean"})
# What stands under these is data, not a schema; under the others, names and not keywords are the keys.
_DATA: Final = frozenset({"default", "const", "enum", "examples", "required", "dependentRequired"})
_NAMED: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})


class Param(NamedTuple):
    """An argument that is mirrored: `header` is the field's name in lower case, `path` leads to the argument."""

    header: bytes
    shown: str
    path: tuple[str, ...]


class AnnotationInvalidError(ValueError):
    """A tool's annotations break the rules; the message says which."""


def params_of(schema: Any) -> tuple[Param, ...]:
    """The mirrored arguments of a tool's inputSchema; none where an annotation is not valid."""
    try:
        return checked_params_of(schema)
    except AnnotationInvalidError:
        return ()


def checked_params_of(schema: Any) -> tuple[Param, ...]:
    """The mirrored arguments of a tool's inputSchema. Raises AnnotationInvalidError."""
    found: dict[bytes, Param] = {}
    for path, node in _annotated(schema):
        name = node[KEYWORD]
        if not isinstance(name, str) or not _TOKEN.match(name):
            raise AnnotationInvalidError(f"{KEYWORD} is no header name")
        if not path:
            raise AnnotationInvalidError(f"{KEYWORD} {name!r} is not at a property that is reached by names alone")
        if not _is_primitive(node.get("type")):
            raise AnnotationInvalidError(f"{KEYWORD} {name!r} is at a property that is no string, integer or boolean")
        header = PARAM + name.lower().encode("ascii")
        if header in found:
            raise AnnotationInvalidError(f"{KEYWORD} {name!r} is given twice")
        found[header] = Param(header, f"Mcp-Param-{name}", path)
    return tuple(found.values())


def _annotated(schema: Any) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """(path, subschema) of every annotation; () as path where it is not reached through `properties` alone."""
    todo: list[tuple[tuple[str, ...], bool, Any]] = [((), True, schema)]
    while todo:
        path, is_reached, node = todo.pop()
        if isinstance(node, list):
            todo += [((), False, item) for item in node]
        if not isinstance(node, dict):
            continue
        if KEYWORD in node:
            yield (path if is_reached else ()), node
        for key, value in node.items():
            if key in _NAMED and isinstance(value, dict):
                is_next = is_reached and key == "properties"
                todo += [((*path, name) if is_next else (), is_next, item) for name, item in value.items()]
            elif key not in _DATA:
                todo.append(((), False, value))


def _is_primitive(kind: Any) -> bool:
    kinds = {name for name in kind if name != "null"} if isinstance(kind, list) and _are_text(kind) else {kind}
    return bool(kinds) and all(isinstance(name, str) and name in _TYPES for name in kinds)


def _are_text(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def value_at(arguments: Any, path: tuple[str, ...]) -> Any:
    """What stands at exactly that path; None for nothing."""
    for name in path:
        if not isinstance(arguments, dict):
            return None
        arguments = arguments.get(name)
    return arguments


def is_mirrored(value: Any) -> bool:
    """Whether a value has a header: `null`, and what is of no mirrored type, has none."""
    return isinstance(value, str | bool | int) or (isinstance(value, float) and value.is_integer())


def written(value: str | bool | int | float) -> str:
    """A mirrored value as it stands in a header."""
    if isinstance(value, str):
        return encode_value(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value))


def encode_value(value: str) -> str:
    """`value` as it may stand in a header, in the base64 form where it could not stand there plainly."""
    if SAFE.match(value) and value == value.strip() and not SENTINEL.match(value):
        return value
    return f"=?base64?{base64.b64encode(value.encode()).decode('ascii')}?="
