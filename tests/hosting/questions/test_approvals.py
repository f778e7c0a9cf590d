"""Which forms are approvals, and what is shown of them."""

from __future__ import annotations

from typing import Any

import pytest

from hosting.questions.approvals import Approval, approval_of
from hosting.questions.forms import refusal_of_form

BOOLEAN: dict[str, Any] = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
SAID = {
    "title": "Delete 3 files",
    "text": "They can't be brought back.",
    "rows": [{"label": "Bucket", "value": "prod"}, {"label": "Files", "value": 3}, {"label": "Forever", "value": True}],
}


def asked(said: Any = SAID, schema: Any = None) -> dict[str, Any]:
    return {"message": "Delete?", "_meta": {"slipway/approval": said}, "requestedSchema": schema or {"type": "object"}}


@pytest.mark.parametrize(
    ("schema", "content"), [({}, {}), ({"type": "object", "properties": {}}, {}), (BOOLEAN, {"ok": True})]
)
def test_an_approval(schema: Any, content: Any) -> None:
    rows = (("Bucket", "prod"), ("Files", "3"), ("Forever", "yes"))
    found = approval_of(asked(schema=schema))
    assert found == Approval("Delete 3 files", "They can't be brought back.", rows, "ok" if content else "")
    assert found.content == content
    assert refusal_of_form(asked(schema=schema)) == ""


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"requestedSchema": BOOLEAN},
        {"_meta": {"slipway/approval": "yes"}},
        {"_meta": 1},
        asked(schema={"properties": {"reason": {"type": "string"}}}),
        asked(schema={"properties": {"a": {"type": "boolean"}, "b": {"type": "boolean"}}}),
        asked(schema={"properties": [1]}),
        asked(schema={"properties": {"a": 1}}),
    ],
)
def test_another_form(params: Any) -> None:
    assert approval_of(params) is None


def test_what_is_odd_or_too_much_is_left_out() -> None:
    rows = [1, {}, {"label": ["x"], "value": {"a": 1}}, *[{"label": "a", "value": "b" * 9000}] * 100]
    found = approval_of(asked({"title": ["no"], "text": "t" * 50_000, "rows": rows}))
    assert found is not None
    assert (found.title, len(found.text), len(found.rows)) == ("", 20_000, 50)
    assert found.rows[:3] == (("", ""), ("", ""), ("a", "b" * 2000))
