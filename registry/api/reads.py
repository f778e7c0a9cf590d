"""What reads answer, from the database to the body's text. No model instances: documents are served as they lie."""

from __future__ import annotations

from typing import Any

from registry.api import cursors
from registry.api.database import Database
from registry.api.entries import COLUMNS, Row, entry, page
from registry.api.parameters import Listing
from registry.api.problems import not_found
from registry.search.matching import api_condition

_TABLE = "registry_serverversion"


async def list_page(database: Database, wanted: Listing) -> str:
    """A page by name and publish sequence. One more row is not asked for: a full page names a next one, which may
    turn out to be empty, as at the official registry."""
    sql, parameters = list_query(wanted)
    rows = [Row._make(found) for found in await database.rows(sql, parameters)]
    more = cursors.encode(rows[-1].name, rows[-1].id, wanted.filters) if len(rows) == wanted.limit else ""
    return page(rows, more)


def list_query(wanted: Listing) -> tuple[str, tuple[Any, ...]]:
    conditions, parameters = _after(*wanted.after)
    if not wanted.include_deleted:
        conditions.append("status <> 'deleted'")
    if wanted.version == "latest":
        conditions.append("is_latest")
    elif wanted.version:
        conditions.append("version = %s")
        parameters.append(wanted.version)
    if wanted.updated_since is not None:
        conditions.append("changed_at > %s")
        parameters.append(wanted.updated_since)
    if wanted.search:
        match, given = api_condition(wanted.search)
        conditions.append(match)
        parameters += given
    where = " AND ".join(conditions) or "true"
    return (
        f"SELECT {COLUMNS} FROM {_TABLE} WHERE {where} ORDER BY name, id LIMIT {wanted.limit}",
        tuple(parameters),
    )


def _after(name: str, id_: int | None, version: str | None) -> tuple[list[str], list[Any]]:
    if not name:
        return [], []
    if id_ is not None:
        return ["(name, id) > (%s, %s)"], [name, id_]
    if version is None:
        return ["name > %s"], [name]
    # Of a version that isn't there the name begins anew: a row twice is better than one that nobody sees.
    place = f"coalesce((SELECT id FROM {_TABLE} WHERE name = %s AND version = %s), 0)"
    return [f"(name, id) > (%s, {place})"], [name, name, version]


async def versions_page(database: Database, name: str, include_deleted: bool) -> str:
    """All versions, the newest first. Raises Problem 404."""
    shown = "" if include_deleted else " AND status <> 'deleted'"
    sql = f"SELECT {COLUMNS} FROM {_TABLE} WHERE name = %s{shown} ORDER BY published_at DESC, id DESC"
    rows = [Row._make(found) for found in await database.rows(sql, (name,))]
    if not rows:
        raise not_found("Server not found")
    return page(rows)


async def entry_of(database: Database, name: str, version: str, include_deleted: bool) -> str:
    """`version` may be "latest". Raises Problem 404."""
    which, parameters = ("is_latest", (name,)) if version == "latest" else ("version = %s", (name, version))
    sql = f"SELECT {COLUMNS} FROM {_TABLE} WHERE name = %s AND {which}"
    rows = [Row._make(found) for found in await database.rows(sql, parameters)]
    if not rows or (rows[0].status == "deleted" and not include_deleted):
        raise not_found("Server not found")
    return entry(rows[0])
