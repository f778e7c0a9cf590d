"""The operations that the schema describes, and requests made up from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema
from hypothesis import strategies as st

from hosting.api.views.documents import schema
from tests.api.conftest import Answer, ApiClient

METHODS = ("get", "post", "put", "patch", "delete")
NAMES = {
    "owner": "alice",
    "name": "time",
    "number": "1",
    "tool": "now",
    "user": "bob",
    "task_id": "the-task",
    "organization": "acme",
    "setting": "env:API_KEY",
    "key": "0123456789abcdef0123456789abcdef",
    "token_id": "00000000-0000-7000-8000-000000000000",
}


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    described: Any

    @property
    def name(self) -> str:
        return str(self.described["operationId"])

    @property
    def path_parameters(self) -> list[str]:
        return [each["name"] for each in self.described.get("parameters", ()) if each["in"] == "path"]

    @property
    def query(self) -> dict[str, Any]:
        return {each["name"]: each["schema"] for each in self.described.get("parameters", ()) if each["in"] == "query"}

    @property
    def body(self) -> Any:
        """The schema of its JSON body, None for none."""
        content = self.described.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema")

    def url(self, **names: str) -> str:
        """Below /api/."""
        return self.path.removeprefix("/api/").format(**{**NAMES, **names})


def check_answer(operation: Operation, answer: Answer) -> None:
    """It is one that the schema names for this operation, and looks as it says there."""
    responses = operation.described["responses"]
    assert str(answer.status) in responses, (operation.name, answer.status, answer.body)
    content = responses[str(answer.status)].get("content")
    if not content:
        assert answer.body == b""
        return
    (media_type, described), *_ = content.items()
    assert answer.headers["Content-Type"].partition(";")[0] == media_type
    jsonschema.validate(answer.body, {**described["schema"], "components": schema()["components"]})


class CheckedClient(ApiClient):
    """Every answer must be one that the schema describes."""

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        answer = super().__call__(method, path, body, **more)
        check_answer(operation_of(method, f"/api/{path.partition('?')[0]}"), answer)
        return answer


def operation_of(method: str, path: str) -> Operation:
    """The one that serves a path."""
    for operation in operations():
        if operation.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", operation.path), path):
            return operation
    raise AssertionError(f"the schema knows nothing of {method} {path}")


def operations() -> Iterator[Operation]:
    for path, item in schema()["paths"].items():
        for method in METHODS:
            if method in item:
                yield Operation(method.upper(), path, item[method])


def resolved(found: Any) -> Any:
    """A schema in the place of a reference to it."""
    if isinstance(found, dict) and "$ref" in found:
        target: Any = schema()
        for part in found["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return resolved(target)
    return found


_WORDS = ["", "alice", "time", "pypi:demo", "npm:x@1", "remote:https://[::1]/", "source:" + "0" * 64, "../..", "%"]
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(_WORDS),
    st.text(st.sampled_from("\0\ud800\u202e\U0001f600%/.:@{}\\\"' \n"), max_size=10),
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def values_of(described: Any) -> st.SearchStrategy[Any]:
    """Mostly what the schema allows, sometimes anything at all."""
    return st.one_of(_fitting(resolved(described)), _fitting(resolved(described)), ANYTHING)


def _fitting(described: Any) -> st.SearchStrategy[Any]:
    for several in ("oneOf", "anyOf", "allOf"):
        if several in described:
            return st.one_of([_fitting(resolved(each)) for each in described[several]])
    if "enum" in described:
        return st.sampled_from(described["enum"])
    kind = described.get("type")
    if isinstance(kind, list):
        return st.one_of([_fitting({**described, "type": each}) for each in kind])
    return _OF_TYPE[kind](described) if kind in _OF_TYPE else ANYTHING


def _objects(described: Any) -> st.SearchStrategy[Any]:
    properties = described.get("properties")
    if properties is None:
        more = described.get("additionalProperties") or {}
        return st.dictionaries(TEXTS, values_of(more) if more else ANYTHING, max_size=3)
    fields = {name: values_of(each) for name, each in properties.items()}
    required = {name: fields.pop(name) for name in described.get("required", ()) if name in fields}
    return st.fixed_dictionaries(required, optional=fields)


_OF_TYPE: dict[str, Callable[[Any], st.SearchStrategy[Any]]] = {
    "object": _objects,
    "array": lambda described: st.lists(values_of(described["items"]), max_size=3),
    "integer": lambda described: st.integers(described.get("minimum"), described.get("maximum")),
    "number": lambda _: st.floats(allow_nan=False, allow_infinity=False),
    "boolean": lambda _: st.booleans(),
    "null": lambda _: st.none(),
    "string": lambda _: TEXTS,
}
