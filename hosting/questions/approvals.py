"""An approval: a person is asked to approve or reject something, and to type nothing. Pure.

It is an ordinary form elicitation, so every client can show it; `_meta` has what is to be approved, for a page that
shows more than one sentence (`docs/questions.md`). Its schema is empty, or has one boolean, which an approval sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

META = "slipway/approval"
MAX_ROWS, MAX_TITLE, MAX_TEXT, MAX_VALUE = 50, 200, 20_000, 2000


@dataclass(frozen=True)
class Approval:
    """All of it is the server's own words. `field` is the boolean's name, "" where there is none."""

    title: str = ""
    text: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    field: str = ""

    @property
    def content(self) -> dict[str, Any]:
        """What an approval answers."""
        return {self.field: True} if self.field else {}


def approval_of(params: Mapping[str, Any]) -> Approval | None:
    """None for any other form: also for one that is marked as an approval and has more to fill in."""
    meta = params.get("_meta")
    said = meta.get(META) if isinstance(meta, Mapping) else None
    field = _only_boolean(params.get("requestedSchema"))
    if not isinstance(said, Mapping) or field is None:
        return None
    return Approval(
        title=_text(said.get("title"), MAX_TITLE),
        text=_text(said.get("text"), MAX_TEXT),
        rows=tuple(_rows(said.get("rows"))),
        field=field,
    )


def _only_boolean(schema: object) -> str | None:
    """Its name, "" where nothing is asked for, None where something else is."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not properties:
        return ""
    if not isinstance(properties, Mapping) or len(properties) > 1:
        return None
    name, definition = next(iter(properties.items()))
    return str(name) if isinstance(definition, Mapping) and definition.get("type") == "boolean" else None


def _rows(rows: object) -> list[tuple[str, str]]:
    """[{"label", "value"}]; a value is a text, a number or a boolean."""
    found = [each for each in rows if isinstance(each, Mapping)] if isinstance(rows, list) else []
    return [(_text(each.get("label"), MAX_TITLE), _text(each.get("value"), MAX_VALUE)) for each in found[:MAX_ROWS]]


def _text(value: object, most: int) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)[:most] if isinstance(value, str | int | float) else ""
