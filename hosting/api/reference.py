"""The schema as a page shows it: operations in groups, with fields, answers and a command to try. Pure."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_METHODS = ("get", "post", "put", "patch", "delete")
_TRIED = {"owner": "alice", "name": "time", "number": "1", "tool": "get_current_time", "user": "bob"}
_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Type:
    """`words` say it; `name` is that of a described type, "" for a plain one."""

    words: str
    name: str = ""


@dataclass(frozen=True)
class Field:
    name: str
    type: Type
    is_required: bool
    description: str
    choices: tuple[str, ...] = ()
    notes: str = ""  # bounds and default


@dataclass(frozen=True)
class Body:
    media_type: str
    type: Type
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Answer:
    status: str
    description: str
    type: Type | None

    @property
    def is_error(self) -> bool:
        return self.status >= "4"


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    bodies: tuple[Body, ...]
    answers: tuple[Answer, ...]
    curl: str


@dataclass(frozen=True)
class Group:
    name: str
    operations: list[Operation] = field(default_factory=list)


@dataclass(frozen=True)
class DescribedType:
    name: str
    description: str
    fields: tuple[Field, ...]
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    groups: list[Group]
    types: list[DescribedType]


def reference_of(schema: Mapping[str, Any]) -> Reference:
    """`schema` is an OpenAPI 3.1 document. What it leaves out is left out on the page too."""
    reader = _Reader(schema)
    groups: dict[str, Group] = {}
    for path, item in schema["paths"].items():
        for method in _METHODS:
            if method in item:
                shared = [*item.get("parameters", ()), *item[method].get("parameters", ())]
                operation = reader.operation(method, path, {**item[method], "parameters": shared})
                tag = next(iter(item[method].get("tags", ())), "Others")
                groups.setdefault(tag, Group(tag)).operations.append(operation)
    types = [reader.described(name, each) for name, each in _schemas(schema).items()]
    return Reference(list(groups.values()), types)


class _Reader:
    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schemas: Mapping[str, Any] = _schemas(schema)
        self._server: str = next((each["url"] for each in schema.get("servers", ())), "")

    def operation(self, method: str, path: str, found: Mapping[str, Any]) -> Operation:
        content = found.get("requestBody", {}).get("content", {})
        bodies = tuple(self._body(media_type, each) for media_type, each in content.items())
        return Operation(
            name=found.get("operationId", f"{method}-{_PARAMETER.sub('', path)}"),
            method=method.upper(),
            path=path,
            summary=found.get("summary") or found.get("operationId") or f"{method.upper()} {path}",
            description=found.get("description", ""),
            parameters=tuple(
                self._field(each["name"], each.get("schema", {}), each.get("required", False), _words(each))
                for each in found["parameters"]
                if "name" in each
            ),
            bodies=bodies,
            answers=tuple(self._answer(str(status), each) for status, each in found.get("responses", {}).items()),
            curl=self._curl(method.upper(), path, content, bodies),
        )

    def described(self, name: str, found: Mapping[str, Any]) -> DescribedType:
        return DescribedType(name, _words(found), self._fields(found), tuple(map(str, found.get("enum", ()))))

    def _body(self, media_type: str, found: Mapping[str, Any]) -> Body:
        type_ = self._type(found.get("schema", {}))
        described = self._schemas.get(type_.name, {})
        return Body(media_type, type_, _words(described), self._fields(described))

    def _answer(self, status: str, found: Mapping[str, Any]) -> Answer:
        schemas = [each["schema"] for each in found.get("content", {}).values() if "schema" in each]
        return Answer(status, _words(found), self._type(schemas[0]) if schemas else None)

    def _fields(self, found: Mapping[str, Any]) -> tuple[Field, ...]:
        required = found.get("required", ())
        return tuple(
            self._field(name, each, name in required, _words(each))
            for name, each in found.get("properties", {}).items()
        )

    def _field(self, name: str, found: Mapping[str, Any], is_required: bool, description: str) -> Field:
        type_ = self._type(found)
        choices = self._schemas.get(type_.name, found).get("enum", ())
        return Field(name, type_, is_required, description, tuple(map(str, choices)), _notes(found))

    def _type(self, found: Mapping[str, Any]) -> Type:
        if "$ref" in found:
            name = found["$ref"].rpartition("/")[2]
            return Type(name, name)
        for several in ("oneOf", "anyOf", "allOf"):
            if several in found:
                parts = [self._type(each) for each in found[several]]
                names = [part.name for part in parts if part.name]
                return Type(" or ".join(part.words for part in parts), names[0] if names else "")
        if found.get("type") == "array":
            inner = self._type(found.get("items", {}))
            return Type(f"list of {inner.words}", inner.name)
        kinds = found.get("type", "any")
        words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
        return Type(f"{words} ({found['format']})" if "format" in found else words)

    def _curl(self, method: str, path: str, content: Mapping[str, Any], bodies: tuple[Body, ...]) -> str:
        url = self._server + _PARAMETER.sub(lambda found: _TRIED.get(found[1], found[1].upper()), path)
        lines = [f"curl {'' if method == 'GET' else f'-X {method} '}{url}", '-H "Authorization: Bearer $TOKEN"']
        if bodies:
            example = _example(content, bodies[0])
            lines += ['-H "Content-Type: application/json"', f"-d {shlex.quote(json.dumps(example))}"]
        return " \\\n  ".join(lines)


def _schemas(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema.get("components", {}).get("schemas", {})
    return found


def _words(found: Mapping[str, Any]) -> str:
    return str(found.get("description", ""))


def _example(content: Mapping[str, Any], body: Body) -> Any:
    """What the operation gives as one; else its required fields, or the first."""
    for each in content.get(body.media_type, {}).get("examples", {}).values():
        if "value" in each:
            return each["value"]
    shown = [one for one in body.fields if one.is_required] or list(body.fields[:1])
    return {one.name: _value(one) for one in shown}


def _value(one: Field) -> Any:
    if one.choices:
        return one.choices[0]
    words = one.type.words
    for beginning, value in (("boolean", True), ("integer", 1), ("list", []), ("object", {})):
        if words.startswith(beginning):
            return value
    return "…"


def _notes(found: Mapping[str, Any]) -> str:
    names = {"minimum": "at least {}", "maximum": "at most {}", "maxLength": "at most {} characters"}
    notes = [words.format(found[name]) for name, words in names.items() if name in found]
    if "default" in found and found["default"] not in ("", None):
        notes.append(f"default: {json.dumps(found['default'])}")
    return ", ".join(notes)
