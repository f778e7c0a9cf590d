"""What reads answer, from the database to the body's bytes. No model instances, and no rows even: PostgreSQL puts a
page together from documents as they lie, which costs a third of what it takes to do so here."""

from __future__ import annotations

from typing import Any

from registry.api import cursors
from registry.api.database import Database
from registry.api.entries import ENTRY, PAGE, page
from registry.api.parameters import Listing
from registry.api.problems import not_found
from registry.search.matching import api_condition

_TABLE = "registry_serverversion"
FEW = 1000


async def list_page(database: Database, wanted: Listing) -> bytes:
    """A page by name and publish sequence. One more row is not asked for: a full page names a next one, which may
    turn out to be empty, as at the official registry."""
    found = await _found(database, wanted.search) if wanted.search else None
    rows, parameters = list_query(wanted, found)
    is_odd = found is not None or wanted.updated_since is not None
    entries, count, name, id_ = await database.row(
        f"SELECT {PAGE} FROM ({rows}) AS page", parameters, is_planned_anew=is_odd
    )
    return page(entries, count, cursors.encode(name, id_, wanted.filters) if count == wanted.limit else "")


Condition = tuple[str, list[Any]]


async def _found(database: Database, text: str) -> Condition:
    """Of a search: few servers are named one by one, since PostgreSQL guesses badly how many there are and would look
    at all of them in their order. Of many it soon has a page in that way."""
    match, given = api_condition(text)
    servers = f"SELECT server_id FROM registry_searchentry WHERE {match}"
    (few,) = await database.row(f"SELECT ARRAY({servers} LIMIT {FEW + 1})", tuple(given), is_planned_anew=True)
    return (f"server_id IN ({servers})", given) if len(few) > FEW else ("server_id = ANY(%s::bigint[])", [few])


def list_query(wanted: Listing, found: Condition | None = None) -> tuple[str, tuple[Any, ...]]:
    """The rows of a page, in order. `found` is what its search comes to."""
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
    if found is not None:
        conditions.append(found[0])
        parameters += found[1]
    where = " AND ".join(conditions) or "true"
    return f"SELECT * FROM {_TABLE} WHERE {where} ORDER BY name, id LIMIT {wanted.limit}", tuple(parameters)


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


async def versions_page(database: Database, name: str, include_deleted: bool) -> bytes:
    """All versions, the newest first. Raises Problem 404."""
    shown = "" if include_deleted else " AND status <> 'deleted'"
    rows = f"SELECT * FROM {_TABLE} WHERE name = %s{shown} ORDER BY published_at DESC, id DESC"
    entries, count, _, _ = await database.row(f"SELECT {PAGE} FROM ({rows}) AS page", (name,))
    if not count:
        raise not_found("Server not found")
    return page(entries, count)


async def entry_of(database: Database, name: str, version: str, include_deleted: bool) -> bytes:
    """`version` may be "latest". Raises Problem 404."""
    which, parameters = ("is_latest", (name,)) if version == "latest" else ("version = %s", (name, version))
    sql = f"SELECT convert_to({ENTRY}, 'UTF8'), status FROM {_TABLE} WHERE name = %s AND {which}"
    found = await database.row(sql, parameters)
    if found is None or (found[1] == "deleted" and not include_deleted):
        raise not_found("Server not found")
    content: bytes = found[0]
    return content
