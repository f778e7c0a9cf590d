"""The dated JSON Schemas of server.json, and a document held against its own. Pure but for reading its data files.

A document names its schema by address; nothing is fetched, the known versions lie beside this module.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from django.utils.translation import gettext

from registry.server_json.issues import OFTEN_MANY, Issue, error, path_of

CURRENT = "2025-12-11"
ADDRESS = "https://static.modelcontextprotocol.io/schemas/{}/server.schema.json"
_FOLDER = Path(__file__).parent / "schemas"
KNOWN = frozenset(path.stem for path in _FOLDER.glob("*.json"))
_ADDRESS = re.compile(r"https?://[^\s]+/schemas/([A-Za-z0-9_.-]+)/server\.schema\.json")


def date_of(address: object) -> str | None:
    """The version that an address names, known or not; None for another address."""
    found = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    return found[1] if found else None


def check_address(document: dict[str, Any]) -> list[Issue]:
    """What `$schema` says: nothing, something else, an unknown version, or one that is not the newest."""
    address = document.get("$schema")
    if not address:
        words = gettext("$schema is required. Use %(address)s") % {"address": ADDRESS.format(CURRENT)}
        return [error("schema", "schema-field-required", words)]
    date = date_of(address)
    if date is None:
        words = gettext("$schema is not the address of a server.json schema, such as %(address)s")
        words %= {"address": ADDRESS.format(CURRENT)}
        return [error("schema", "schema-version-extraction-error", words, type_="schema")]
    if date not in KNOWN:
        words = gettext("There is no schema version %(date)s. Known are %(dates)s")
        words %= {"date": date, "dates": ", ".join(sorted(KNOWN))}
        return [error("schema", "schema-version-not-available", words, type_="schema")]
    if date != CURRENT:
        words = gettext("Schema version %(date)s is not the current one. Consider updating to %(current)s")
        words %= {"date": date, "current": CURRENT}
        return [Issue("semantic", "schema", words, "warning", "schema-version-deprecated")]
    return []


def check(document: dict[str, Any], date: str | None = None) -> list[Issue]:
    """The document against the JSON Schema of its own version, or of `date`; one that names none, against the current
    one. Nothing when the version isn't known."""
    date = date or (date_of(document["$schema"]) if document.get("$schema") else CURRENT)
    if date not in KNOWN:
        return []
    validator = _validator(date)
    if validator.is_valid(document):
        return []
    found = []
    for breach in validator.iter_errors(document):
        reference = "#/" + "/".join(str(part) for part in breach.schema_path)
        found.append(error(path_of(tuple(breach.instance_path)), reference, breach.message[:500], type_="schema"))
        if len(found) == OFTEN_MANY:
            break
    return found


@lru_cache(maxsize=16)
def _validator(date: str) -> jsonschema_rs.Draft7Validator:
    schema = json.loads((_FOLDER / f"{date}.json").read_text("utf-8"))
    return jsonschema_rs.Draft7Validator(schema)
