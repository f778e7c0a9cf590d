"""What a deployment's pages are filled in with, and how."""

from __future__ import annotations

from typing import Any

from django.test import Client

from hosting.kinds.declared import Declared

SECRET = "hunter2-hunter2"
EVIL = "<script>alert(1)</script>"
TOOL = {"name": "read", "description": "Reads.", "inputSchema": {"type": "object"}}
DECLARED = [
    Declared(name="API_KEY", where="env", is_secret=True, is_required=True, description=EVIL),
    Declared(name="MODE", where="env", choices=("fast", "slow"), default=EVIL),
    Declared(name="port", where="argument", flag="--port", format="number", placeholder=EVIL, position=0),
]


def told(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def save_inputs(client: Client, **fields: str) -> Any:
    return client.post("/d/alice/time/settings", {"section": "inputs", **fields}, follow=True)


def page_of(section: str) -> str:
    """The page of the settings that a section stands on."""
    parts = {"running": ("limits", "isolation", "data"), "security": ("network", "approval", "install", "tracing")}
    return f"/d/alice/time/settings/{next((part for part, sections in parts.items() if section in sections), section)}"


def field_of(client: Client, name: str) -> str:
    """The form field in which a setting is typed."""
    form = client.get("/d/alice/time/settings").context["inputs"]
    return str(next(row["field"].name for row in [*form.declared_rows, *form.added_rows] if row["field"].label == name))
