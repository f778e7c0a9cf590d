"""Secrets among a call's arguments: they are not shown, and come back as they were when a form is sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[hidden]"
_SECRET = re.compile(
    r"passw|secret|api[_-]?key|private[_-]?key|credential|authorization|(^|[_-])(access|auth|bearer|refresh)?[_-]?token$",
    re.IGNORECASE,
)


def hidden(value: Any, schema: object = None) -> Any:
    """`value` with HIDDEN in place of what a name, or the tool's own schema, says is a secret."""
    if isinstance(value, dict):
        known = _properties(schema)
        return {name: _hidden_member(name, each, known.get(name)) for name, each in value.items()}
    if isinstance(value, list):
        items = schema.get("items") if isinstance(schema, Mapping) else None
        return [hidden(each, items) for each in value]
    return value


def _hidden_member(name: str, value: Any, schema: object) -> Any:
    return HIDDEN if value not in (None, "") and _is_secret(name, schema) else hidden(value, schema)


def restored(value: Any, original: Any) -> Any:
    """`value` as somebody edited it, with the secrets of `original` where they were left alone."""
    if value == HIDDEN:
        return original
    if isinstance(value, dict):
        before = original if isinstance(original, dict) else {}
        return {name: restored(each, before.get(name, HIDDEN)) for name, each in value.items()}
    if isinstance(value, list):
        old = original if isinstance(original, list) else []
        return [restored(each, old[i] if i < len(old) else HIDDEN) for i, each in enumerate(value)]
    return value


def _is_secret(name: str, schema: object) -> bool:
    if isinstance(schema, Mapping) and (schema.get("writeOnly") is True or schema.get("format") == "password"):
        return True
    return bool(_SECRET.search(name))


def _properties(schema: object) -> Mapping[str, Any]:
    found = schema.get("properties") if isinstance(schema, Mapping) else None
    return found if isinstance(found, Mapping) else {}
