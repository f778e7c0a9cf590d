"""Forms from what servers ask for: each kind of field, and what a server must not be able to do with one."""

from __future__ import annotations

from typing import Any

import pytest

from hosting.forms.elicitation import MAX_FIELDS, ElicitationForm

EVIL = "<script>alert(1)</script>"
SIZES = [{"const": "s", "title": "Small"}, {"const": "l", "title": "Large"}]


def sent(definition: Any, value: Any, *, required: bool = True) -> ElicitationForm:
    schema = {"type": "object", "properties": {"x": definition}, "required": ["x"] if required else []}
    return ElicitationForm(schema, {"f0": value} if value is not None else {})


@pytest.mark.parametrize(
    ("definition", "value", "content"),
    [
        ({"type": "string"}, " as it is ", " as it is "),
        ({"type": "string", "format": "email"}, "a@example.org", "a@example.org"),
        ({"type": "string", "format": "uri"}, "urn:isbn:1", "urn:isbn:1"),
        ({"type": "string", "format": "date"}, "2026-02-28", "2026-02-28"),
        ({"type": "string", "format": "date-time"}, "2026-02-28T10:20", "2026-02-28T10:20:00Z"),
        ({"type": "string", "enum": ["a", "b"]}, "b", "b"),
        ({"type": "string", "enum": ["a", "b"], "enumNames": ["An A", "A B"]}, "a", "a"),
        ({"type": "string", "oneOf": SIZES}, "l", "l"),
        ({"type": "array", "items": {"type": "string", "enum": ["a", "b", "c"]}}, ["a", "c"], ["a", "c"]),
        ({"type": "array", "items": {"anyOf": SIZES}, "minItems": 1}, ["s"], ["s"]),
        ({"type": "number", "minimum": 1.5}, "2.5", 2.5),
        ({"type": "number"}, "3.0", 3),
        ({"type": "integer", "maximum": 10}, "10", 10),
        ({"type": "boolean"}, "on", True),
        ({"type": "boolean"}, None, False),
        ({"type": "object"}, '{"a": [1]}', {"a": [1]}),
    ],
)
def test_what_is_filled_in_becomes_json(definition: Any, value: Any, content: Any) -> None:
    form = sent(definition, value)
    assert form.is_valid(), form.errors
    assert form.content() == {"x": content}
    assert type(form.content()["x"]) is type(content)


@pytest.mark.parametrize(
    ("definition", "value"),
    [
        ({"type": "string"}, ""),
        ({"type": "string", "minLength": 3}, "ab"),
        ({"type": "string", "maxLength": 3}, "abcd"),
        ({"type": "string", "format": "email"}, "nobody"),
        ({"type": "string", "format": "uri"}, "not an address"),
        ({"type": "string", "format": "date"}, "2026-02-30"),
        ({"type": "string", "format": "date-time"}, "tomorrow"),
        ({"type": "string", "enum": ["a", "b"]}, "c"),
        ({"type": "string", "oneOf": SIZES}, "Small"),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2}, ["a"]),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 1}, ["a", "b"]),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, ["c"]),
        ({"type": "number"}, "nan"),
        ({"type": "number"}, "1e999"),
        ({"type": "number", "minimum": 1}, "0"),
        ({"type": "integer"}, "1.5"),
        ({"type": "integer", "maximum": 10}, "11"),
        ({"type": "object"}, "{"),
        ({"type": "object"}, "NaN"),
        ({"type": "object"}, "[" * 50_000),
    ],
)
def test_mistakes_are_told_at_the_field(definition: Any, value: Any) -> None:
    form = sent(definition, value)
    assert not form.is_valid()
    assert list(form.errors) == ["f0"]


def test_what_is_optional_and_empty_is_left_out() -> None:
    for definition in ({"type": "string"}, {"type": "number"}, {"type": "string", "enum": ["a"]}):
        form = sent(definition, "", required=False)
        assert form.is_valid()
        assert form.content() == {}


def test_defaults_are_there_to_be_changed() -> None:
    properties = {
        "a": {"type": "string", "default": "hello"},
        "b": {"type": "boolean", "default": True},
        "c": {"type": "integer", "default": 7},
        "d": {"oneOf": SIZES, "default": "l"},
        "e": {"type": "array", "items": {"anyOf": SIZES}, "default": ["s", "nonsense"]},
        "f": {"type": "string", "enum": ["x"], "default": "nonsense"},
        "g": {"type": "string", "format": "date-time", "default": "2026-01-01T12:00:00+02:00"},
    }
    form = ElicitationForm({"properties": properties})
    assert [form.fields[f"f{i}"].initial for i in range(6)] == ["hello", True, 7, "l", ["s"], None]
    assert 'value="2026-01-01T10:00:00"' in str(form["f6"])


def test_a_servers_words_are_text_and_what_can_not_be_seen_is_written_out() -> None:
    form = ElicitationForm({"properties": {EVIL: {"type": "string", "title": EVIL, "description": f"{EVIL}\u200b"}}})
    page = form.as_p()
    assert EVIL not in page
    assert "⟦U+200B⟧" in page
    assert form.fields["f0"].help_text.startswith("&lt;script&gt;")  # the page shows help texts as they are


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"properties": []},
        {"properties": {"a": None, "b": 5, "c": {"type": ["x"]}}, "required": "a"},
        {"properties": {"a": {"type": "string", "minLength": -1, "maxLength": True, "pattern": "(a+)+$"}}},
        {"properties": {"a": {"type": "number", "minimum": "x", "maximum": float("inf"), "default": []}}},
        {"properties": {"a": {"enum": [1, None]}, "b": {"oneOf": [{"const": 5}, 7]}, "c": {"type": "array"}}},
        {"properties": {"a": {"type": "string", "format": "date-time", "default": "rubbish"}}},
    ],
)
def test_broken_schemas_still_make_a_page(schema: Any) -> None:
    form = ElicitationForm(schema, {"f0": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"})
    form.is_valid()
    assert form.as_p() is not None


def test_a_thousand_fields_are_not_drawn() -> None:
    form = ElicitationForm({"properties": {f"n{i}": {"type": "string"} for i in range(1000)}})
    assert len(form.fields) == MAX_FIELDS
