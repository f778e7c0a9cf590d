"""`Mcp-Param-*`: which of a tool's arguments are mirrored in headers, and whether the two agree. Pure.

2026-07-28 basic/transports/streamable-http, "Custom Headers from Tool Parameters". A tool whose annotations break the
rules of "Schema Extension" is one that clients drop, so for it no header means anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from mcp_endpoint import headers as h

KEYWORD: Final = "x-mcp-header"

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}\Z")  # RFC 9110 section 5.6.2
_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?\Z")
_TYPES: Final = frozenset({"string", "integer", "boolean"})
# What stands under these is data, not a schema; under the others, names and not keywords are the keys.
_DATA: Final = frozenset({"default", "const", "enum", "examples", "required", "dependentRequired"})
_NAMED: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})


class Param(NamedTuple):
    """An argument that is mirrored: `header` is the field's name in lower case, `path` leads to the argument."""

    header: bytes
    shown: str
    path: tuple[str, ...]


def params_of(schema: Any) -> tuple[Param, ...]:
    """The mirrored arguments of a tool's inputSchema; none where an annotation is not valid."""
    found: dict[bytes, Param] = {}
    for path, node in _annotated(schema):
        name = node[KEYWORD]
        if not path or not isinstance(name, str) or not _TOKEN.match(name) or not _is_primitive(node.get("type")):
            return ()
        header = h.PARAM + name.lower().encode("ascii")
        if header in found:
            return ()
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


def mismatch(params: tuple[Param, ...], fields: Mapping[bytes, bytes], arguments: Any) -> str:
    """What is wrong, "" when headers and arguments agree. `null` counts as absent."""
    for param in params:
        problem = _problem(fields.get(param.header), _value_at(arguments, param.path))
        if problem:
            return f"the {param.shown} header {problem} the argument {'.'.join(param.path)}"
    return ""


def _value_at(arguments: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(arguments, dict):
            return None
        arguments = arguments.get(name)
    return arguments


def _problem(header: bytes | None, value: Any) -> str:
    is_mirrored = isinstance(value, str | bool | int) or (isinstance(value, float) and value.is_integer())
    if header is None:
        return "is missing beside" if is_mirrored else ""
    if not is_mirrored:  # whoever routes by the header would act on a value that the call does not have
        return "does not match"
    found = h.decode_value(h.text(header))
    if found is None:
        return "is malformed beside"
    if isinstance(value, bool):
        is_same = found == ("true" if value else "false")
    elif isinstance(value, str):
        is_same = found == value
    else:  # "Server Validation": numbers are compared as numbers
        is_same = _NUMBER.match(found) is not None and Decimal(found) == Decimal(value)
    return "" if is_same else "does not match"
