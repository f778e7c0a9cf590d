"""One entry of another registry, read leniently. Pure.

Documents that break rules are kept and marked: a tenth of what is published does. What can't be kept at all (no name,
no version, no JSON) says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from registry.api.entries import OFFICIAL
from registry.models.statuses import Status
from registry.server_json import validation
from registry.server_json.reading import remote_keys

MAX_DOCUMENT = 1024 * 1024  # bytes
MAX_NAME = 200
MAX_VERSION = 255
MAX_MESSAGE = 500


@dataclass(frozen=True)
class Imported:
    """Times are None where the source doesn't say them."""

    name: str
    version: str
    document: str
    status: str
    status_message: str | None
    status_changed_at: datetime | None
    published_at: datetime | None
    updated_at: datetime | None
    remote_keys: list[int]
    marks: list[dict[str, Any]]


class NotKept(Exception):
    """Its text says which entry and why."""


def entries_in(value: Any) -> Iterator[Any]:
    """The entries of a JSON value: an answer of the API, a list of entries, or one entry or document."""
    if isinstance(value, list):
        for one in value:
            yield from entries_in(one)
    elif isinstance(value, dict) and isinstance(value.get("servers"), list):
        yield from value["servers"]
    else:
        yield value


def record(value: Any) -> Imported:
    """Of an entry `{"server": …, "_meta": …}` or a bare server.json. Raises NotKept."""
    if not isinstance(value, dict):
        raise NotKept("an entry is no JSON object")
    wrapped = isinstance(value.get("server"), dict)
    document, outer = (value["server"], value.get("_meta")) if wrapped else (value, value.get("_meta"))
    meta = outer.get(OFFICIAL) if isinstance(outer, dict) else None
    return _record(_clean(document), meta if isinstance(meta, dict) else {})


def _record(document: dict[str, Any], meta: Mapping[str, Any]) -> Imported:
    name, version = document.get("name"), document.get("version")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise NotKept(f"an entry has no usable name: {str(name)[:100]!r}")
    if not isinstance(version, str) or not 0 < len(version) <= MAX_VERSION or not version.isprintable():
        raise NotKept(f"{name} has no usable version: {str(version)[:100]!r}")
    text = msgspec.json.encode(document)
    if len(text) > MAX_DOCUMENT:
        raise NotKept(f"{name} {version} is larger than {MAX_DOCUMENT} bytes")
    status = meta.get("status", document.get("status"))
    message = meta.get("statusMessage")
    return Imported(
        name=name,
        version=version,
        document=text.decode(),
        status=status if status in Status.values else Status.ACTIVE.value,
        status_message=message[:MAX_MESSAGE] if isinstance(message, str) and message else None,
        status_changed_at=_time(meta.get("statusChangedAt")),
        published_at=_time(meta.get("publishedAt")),
        updated_at=_time(meta.get("updatedAt")),
        remote_keys=remote_keys(document),
        marks=validation.marks(document),
    )


def _clean(value: Any) -> Any:
    """Without NUL and halves of surrogate pairs, which PostgreSQL's JSON can't hold."""
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {_clean_text(str(name)): _clean(one) for name, one in value.items()}
    return value


def _clean_text(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
