"""Which forms ask for a secret, by their fields and by what is said above them."""

from __future__ import annotations

from typing import Any

import pytest

from hosting.questions.forms import refusal_of_form, secret_field


def form(message: str = "Who?", **properties: Any) -> dict[str, Any]:
    return {"message": message, "requestedSchema": {"type": "object", "properties": properties}}


@pytest.mark.parametrize(
    "asked",
    [
        form(password={"type": "string"}),
        form(it={"type": "string", "format": "password"}),
        form(it={"type": "string", "writeOnly": True}),
        form(it={"type": "string", "title": "API key"}),
        form(it={"type": "string", "description": "Your Stripe API key"}),
        form(it={"type": "string", "description": "Paste the access token that GitHub shows you."}),
        form("Enter your GitHub password", it={"type": "string"}),
        form(it={"type": ["string", "null"], "title": "Password"}),
        form(it={"title": "Password"}),
        form(cvv={"type": "integer"}),
        form(it={"type": "object", "properties": {"password": {"type": "string"}}}),
        {"message": "", "requestedSchema": {"allOf": [{"properties": {"token": {"type": "string"}}}]}},
    ],
)
def test_a_form_that_asks_for_a_secret(asked: Any) -> None:
    field = secret_field(asked)
    assert field
    assert f"“{field}”" in refusal_of_form(asked) and "server.json" in refusal_of_form(asked)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"message": "Enter your password", "requestedSchema": {}},
        form(),
        form(name={"type": "string"}),
        form("Enter your password to go on?", yes={"type": "boolean"}),
        form(reset_password={"type": "boolean", "title": "Reset password"}),
        form(token={"type": "string", "enum": ["short", "long"]}),
        form(token={"oneOf": [{"const": "a", "title": "A"}]}),
        form(credentials={"type": "array", "items": {"type": "string", "enum": ["prod", "test"]}}),
        form(max_tokens={"type": "integer", "title": "Tokens at most"}),
        form(note={"type": "string", "description": "Never write a password here."}),
        form(email={"type": "string", "format": "email", "title": "Your address", "description": "To write to you"}),
        {"requestedSchema": {"properties": [1], "items": 3, "allOf": "x"}},
    ],
)
def test_a_plain_form(asked: Any) -> None:
    assert secret_field(asked) == "" == refusal_of_form(asked)


def test_a_schema_without_a_bottom_ends() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5000):
        schema = {"items": schema}
    assert secret_field({"requestedSchema": schema}) == ""
