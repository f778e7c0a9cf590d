"""Entries of the API, put together as bytes around stored documents. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

OFFICIAL = "io.modelcontextprotocol.registry/official"
COLUMNS = "id, name, version, document, status, status_message, status_changed_at, published_at, updated_at, is_latest"


class Row(NamedTuple):
    """What an entry is made of: COLUMNS of registry_serverversion, in that order."""

    id: int
    name: str
    version: str
    document: str
    status: str
    status_message: str | None
    status_changed_at: datetime
    published_at: datetime
    updated_at: datetime
    is_latest: bool


def entry(row: Row) -> str:
    """`{"server": …, "_meta": …}`."""
    message = f'"statusMessage":{msgspec.json.encode(row.status_message).decode()},' if row.status_message else ""
    return (
        f'{{"server":{row.document},"_meta":{{"{OFFICIAL}":{{"status":"{row.status}",'
        f'"statusChangedAt":"{_time(row.status_changed_at)}",{message}"publishedAt":"{_time(row.published_at)}",'
        f'"updatedAt":"{_time(row.updated_at)}","isLatest":{"true" if row.is_latest else "false"}}}}}}}'
    )


def page(rows: Iterable[Row], next_cursor: str = "") -> str:
    entries = [entry(row) for row in rows]
    more = f',"nextCursor":"{next_cursor}"' if next_cursor else ""
    return f'{{"servers":[{",".join(entries)}],"metadata":{{"count":{len(entries)}{more}}}}}'


def _time(moment: datetime) -> str:
    """RFC 3339; rows come in UTC."""
    return moment.isoformat().replace("+00:00", "Z")
