"""Every rule of server.json by its example; and for any JSON whatever, binding agrees with the published schema."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.server_json import validation
from registry.server_json.binding import bind
from registry.server_json.names import looks_like_range
from registry.server_json.package_rules import Indexes
from registry.server_json.shapes import SERVER, Anything, Flag, Many, Members, Named, Shape, Text
from tests.registry.examples import ADDRESS, BASE, INVALID, PROVIDED, VALID, Invalid, based


@pytest.mark.parametrize("document", VALID.values(), ids=VALID.keys())
def test_valid_document_is_accepted(document: dict[str, Any]) -> None:
    assert validation.binding(document) == []
    assert [issue for issue in validation.all_issues(document, Indexes()) if issue.is_error] == []


@pytest.mark.parametrize("example", INVALID.values(), ids=INVALID.keys())
def test_invalid_document_is_refused_where_and_why(example: Invalid) -> None:
    breaches = validation.binding(example.document, needs_schema=False)
    if example.layer == "binding":
        assert (example.path, example.reference) in [(one.path, one.rule) for one in breaches]
        return
    assert breaches == []
    errors = [issue for issue in validation.all_issues(example.document, Indexes()) if issue.is_error]
    assert any(one.path == example.path and example.reference in one.reference for one in errors), errors
    publishing = [issue for issue in validation.issues(example.document) if issue.is_error]
    assert bool(publishing) == (example.layer == "issue")


def test_an_older_schema_is_a_warning() -> None:
    issues = validation.issues(based(schema=ADDRESS.format("2025-09-29")))
    assert [(one.reference, one.severity) for one in issues] == [("schema-version-deprecated", "warning")]


def test_schema_is_required_but_validate_tells_it_by_its_rule() -> None:
    document = based(schema=None)
    assert [one.path for one in validation.binding(document)] == ["$schema"]
    assert validation.binding(document, needs_schema=False) == []


def test_what_says_nothing_is_not_kept() -> None:
    document = based(packages=None, remotes=[], repository={"url": "", "source": ""})
    document["icons"] = None
    assert validation.normalised(document) == BASE
    document = based(_meta={"org.example/x": {}, PROVIDED: {"a": 1}})
    assert validation.normalised(document)["_meta"] == {PROVIDED: {"a": 1}}


def test_marks_hold_a_document_against_its_own_version() -> None:
    old = based(schema=ADDRESS.format("2025-09-16"), status="active")
    assert validation.marks(old) == []
    assert [one["reference"] for one in validation.marks(based(version="latest"))] == ["reserved-version-string"]
    assert validation.marks(based(repository={}))
    assert validation.marks({})


@pytest.mark.parametrize("version", ["1.0.0", "v1", "2026.01.02", "1.0-x", "x", "1.0.0-alpha.x.1x", "a - b"])
def test_one_version_or_several(version: str) -> None:
    assert looks_like_range(version) == (version == "a - b")


# --- binding agrees with the published schema of the API


def schema_of(shape: Shape) -> dict[str, Any]:
    """A shape as the API's OpenAPI document writes it down."""
    match shape:
        case Text():
            found: dict[str, Any] = {"type": "string", "minLength": shape.least}
            if shape.most is not None:
                found["maxLength"] = shape.most
            if shape.pattern:
                found["pattern"] = shape.pattern
            if shape.choices:
                found["enum"] = list(shape.choices)
            return found
        case Flag():
            return {"type": "boolean"}
        case Anything():
            return {"type": "object"}
        case Many():
            return {"type": ["array", "null"], "items": schema_of(shape.of)}
        case Named():
            return {"type": "object", "additionalProperties": schema_of(shape.of)}
        case Members():
            return {
                "type": "object",
                "additionalProperties": shape.is_open,
                "required": list(shape.required),
                "properties": {name: schema_of(one) for name, one in shape.members.items()},
            }


_PUBLISHED = jsonschema_rs.Draft202012Validator(schema_of(SERVER))
_TEXTS = st.one_of(
    st.sampled_from(["", "a", "ab/cd", "a.b/c_d", "1.0.0", "active", "number", "light", "image/png", "0" * 64, "/x"]),
    st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=110),
)


def near(shape: Shape) -> st.SearchStrategy[Any]:
    """Values of the shape, nearly of the shape, and of no shape."""
    stray = st.one_of(st.none(), st.booleans(), st.integers(), _TEXTS, st.just([]), st.just({}))
    right: st.SearchStrategy[Any]
    match shape:
        case Text():
            right = st.one_of(_TEXTS, st.sampled_from(shape.choices or ("io.github.x/y",)))
        case Flag():
            right = st.booleans()
        case Anything():
            right = st.dictionaries(_TEXTS, stray, max_size=2)
        case Many():
            right = st.lists(near(shape.of), max_size=2)
        case Named():
            right = st.dictionaries(_TEXTS, near(shape.of), max_size=2)
        case Members():
            required = {name: near(shape.members[name]) for name in shape.required}
            optional = {name: near(one) for name, one in shape.members.items() if name not in shape.required}
            right = st.fixed_dictionaries(required, optional=optional)
    return st.integers(0, 30).flatmap(lambda die: stray if die == 0 else right)


@given(near(SERVER))
def test_binding_agrees_with_the_schema(document: Any) -> None:
    breaches = [one for one in bind(document) if one.rule != "format uri"]
    assert bool(breaches) != _PUBLISHED.is_valid(document), breaches


@given(near(SERVER))
def test_nothing_that_binds_breaks_what_comes_after(document: Any) -> None:
    if bind(document):
        return
    for issue in validation.all_issues(document, Indexes()):
        assert issue.path and issue.message and issue.reference
    kept = validation.normalised(document)
    assert msgspec.json.decode(msgspec.json.encode(kept)) == kept
    assert validation.normalised(kept) == kept


@given(st.recursive(_TEXTS | st.none() | st.integers(), lambda inner: st.dictionaries(_TEXTS, inner) | st.lists(inner)))
def test_any_value_is_judged_without_an_error(value: Any) -> None:
    assert bind(value)
    if isinstance(value, dict):
        assert validation.marks(value)
