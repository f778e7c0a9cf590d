"""What can be wrong with a document, as /validate tells it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

OFTEN_MANY = 100  # more issues than this help nobody


@dataclass(frozen=True)
class Issue:
    """`type` is json, schema, semantic or linter; `severity` error, warning or info. `path` is like
    `packages[0].transport.url`. `reference` is a rule's stable name, or where in the JSON Schema the rule stands."""

    type: str
    path: str
    message: str
    severity: str
    reference: str

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Breach:
    """Why a document does not bind. `path` is "" for the whole; `rule` names what is broken: required, maxLength …"""

    path: str
    rule: str
    message: str
    value: Any = None


def error(path: str, reference: str, message: str, *, type_: str = "semantic") -> Issue:
    return Issue(type_, path, message, "error", reference)


def path_of(parts: tuple[str | int, ...]) -> str:
    """("packages", 0, "transport") → `packages[0].transport`."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
