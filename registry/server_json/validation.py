"""A document judged as a whole: strictly when it is published, leniently when it is imported. Pure."""

from __future__ import annotations

from typing import Any

import msgspec
from django.utils.translation import gettext

from registry.server_json import package_rules, rules, schemas
from registry.server_json.binding import bind
from registry.server_json.issues import Breach, Issue, error
from registry.server_json.package_rules import Indexes
from registry.server_json.shapes import PUBLISHER_PROVIDED

MAX_PUBLISHER_PROVIDED = 4096  # bytes as JSON
MAX_MARKS = 20


def binding(document: Any, *, needs_schema: bool = True) -> list[Breach]:
    """`needs_schema`: /validate tells of a missing `$schema` by its own rule instead."""
    return [one for one in bind(document) if needs_schema or (one.path, one.rule) != ("$schema", "required")]


def issues(document: dict[str, Any]) -> list[Issue]:
    """All of a document that binds: its `$schema`, its rules, its JSON Schema."""
    return [*schemas.check_address(document), *rules.check(document), *schemas.check(_without_nulls(document))]


def all_issues(document: dict[str, Any], indexes: Indexes | None) -> list[Issue]:
    """What /validate tells: also what publishing would refuse later, as far as that can be known without asking.

    `indexes` is None where packages aren't checked.
    """
    found = [*issues(document), *(package_rules.check(document, indexes) if indexes else ())]
    if (size := publisher_provided_bytes(document)) > MAX_PUBLISHER_PROVIDED:
        words = gettext("What the publisher provides is %(size)s bytes as JSON; %(most)s are the most")
        words %= {"size": size, "most": MAX_PUBLISHER_PROVIDED}
        found.append(error("_meta", "publisher-provided-too-large", words))
    return found


def publisher_provided_bytes(document: dict[str, Any]) -> int:
    found = (document.get("_meta") or {}).get(PUBLISHER_PROVIDED)
    return len(msgspec.json.encode(found)) if found is not None else 0


def normalised(document: dict[str, Any]) -> dict[str, Any]:
    """As it is kept: without members that say nothing, and of `_meta` what is the publisher's.

    mcp-publisher writes `"repository": {}` where there is none.
    """
    provided = (document.get("_meta") or {}).get(PUBLISHER_PROVIDED)
    rest = _without_nulls({name: value for name, value in document.items() if name != "_meta"})
    found = {name: value for name, value in rest.items() if not _is_empty(name, value)}
    return found | {"_meta": {PUBLISHER_PROVIDED: provided}} if provided else found


def _without_nulls(value: Any) -> Any:
    """Arrays may be null, says the API, as Go writes empty ones; no schema of server.json knows that."""
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _is_empty(name: str, value: Any) -> bool:
    if value == []:
        return True
    return name == "repository" and isinstance(value, dict) and not any(value.values())


def marks(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What is wrong with a document that is kept all the same: path, reference, message; errors only.

    It is held against its own version: one of 2025-09-16 may have a status, which no longer binds.
    """
    found = [*schemas.check_address(document), *schemas.check(document)]
    if not bind(document):
        found += rules.check(document)
    wrong = [one for one in found if one.is_error]
    return [{"path": one.path, "reference": one.reference, "message": one.message[:300]} for one in wrong[:MAX_MARKS]]
