"""Entries of the API, put together around stored documents: by PostgreSQL (ENTRY), which hands out a page as one value,
or of a row that was just written here (`entry`). Both give the same text. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec

OFFICIAL = "io.modelcontextprotocol.registry/official"


# The text of one entry, over the columns of registry_serverversion; `meta` is made by PostgreSQL (migration 0008).
ENTRY = """'{"server":' || document || meta"""
# What a page is made of, over rows in its order: entries, how many, and where the last one stands in a list.
PAGE = """
    coalesce(convert_to('{"server":' || string_agg(document || meta, ',{"server":'), 'UTF8'), ''), count(*),
    (array_agg(name))[count(*)], (array_agg(id))[count(*)]
"""


class Row(NamedTuple):
    """What an entry is made of."""

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


def page(entries: bytes, count: int, next_cursor: str = "") -> bytes:
    """A list around `entries`, which are joined by commas."""
    more = f',"nextCursor":"{next_cursor}"' if next_cursor else ""
    return b'{"servers":[%b],"metadata":{"count":%d%b}}' % (entries, count, more.encode())


def _time(moment: datetime) -> str:
    """RFC 3339; rows come in UTC."""
    return moment.isoformat().replace("+00:00", "Z")
