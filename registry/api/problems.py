"""Refusals as RFC 9457 problem documents, in the shape that clients of the official registry know. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec

MEDIA_TYPE = b"application/problem+json"


@dataclass(frozen=True)
class Detail:
    """One cause. `location` is like "query.limit" or "body.packages[0].transport"; `value` is what stood there."""

    message: str
    location: str = ""
    value: Any = None

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"message": self.message}
        if self.location:
            found["location"] = self.location
            if self.value is not None:
                found["value"] = self.value
        return found


@dataclass
class Problem(Exception):
    """Raised anywhere below the API's entry, which answers with it."""

    status: int
    detail: str
    errors: Sequence[Detail] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: bytes = MEDIA_TYPE

    def body(self) -> bytes:
        document: dict[str, Any] = {
            "title": HTTPStatus(self.status).phrase if self.status != 422 else "Unprocessable Entity",
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [one.to_json() for one in self.errors]
        return msgspec.json.encode(document)


def invalid(errors: Sequence[Detail]) -> Problem:
    """A request that does not bind."""
    return Problem(422, "validation failed", errors)


def bad(detail: str, cause: str = "") -> Problem:
    return Problem(400, detail, [Detail(cause)] if cause else ())


def not_found(detail: str) -> Problem:
    return Problem(404, detail)
