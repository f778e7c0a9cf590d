"""Keeps the index true: every change of versions calls `servers_index` in its transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, fields
from typing import Any

import msgspec
from django.db import connection, transaction

from registry.models import SeenServer, Server
from registry.search.entries import Entry, Known, Source, entry_of, references_of
from registry.search.words import stem
from registry.server_json.reading import read

BATCH = 500
_LOCK = (0x534C, 0x776F7264)
_NOT_COLUMNS = ("vocabulary",)
_COLUMNS = [field.name for field in fields(Entry) if field.name not in _NOT_COLUMNS]
# The latest version; where all are deleted, the one published last, for who lists those too.
_LATEST = """
SELECT DISTINCT ON (v.server_id)
       v.server_id, s.name, v.document, v.version, v.status, v.published_at,
       max(v.updated_at) OVER mine, count(*) OVER mine, s.is_local, s.verified_by
  FROM registry_serverversion v JOIN registry_server s ON s.id = v.server_id
 WHERE v.server_id = ANY(%s)
WINDOW mine AS (PARTITION BY v.server_id)
 ORDER BY v.server_id, v.is_latest DESC, (v.status <> 'deleted') DESC, v.id DESC
"""


def servers_index(server_ids: Collection[int]) -> None:
    """Makes their rows anew. Servers without versions lose theirs."""
    ids = sorted(set(server_ids))
    for start in range(0, len(ids), BATCH):
        _index(ids[start : start + BATCH])


def index_all(*, words: bool = True) -> int:
    """Everything, in transactions of a batch each; then the words. Returns how many servers."""
    ids = list(Server.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            _index(ids[start : start + BATCH])
    if words:
        words_count()
    return len(ids)


def words_count() -> bool:
    """How many entries have each word; words that none has any more go. Not in the way of anybody who publishes.
    False when another process is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", _LOCK)
        if not cursor.fetchone()[0]:
            return False
        cursor.execute("SELECT word, ndoc FROM ts_stat('SELECT vector FROM registry_searchentry')")
        counts = dict(cursor.fetchall())
        cursor.execute("SELECT word, count FROM registry_searchword ORDER BY word")
        rows = cursor.fetchall()
        changed = [(word, counts[stem(word)]) for word, count in rows if counts.get(stem(word), count) != count]
        gone = [word for word, _ in rows if stem(word) not in counts]
        for start in range(0, len(changed), 5000):
            part = changed[start : start + 5000]
            cursor.execute(
                "UPDATE registry_searchword w SET count = n.count"
                " FROM unnest(%s::text[], %s::int[]) n(word, count) WHERE w.word = n.word",
                ([word for word, _ in part], [count for _, count in part]),
            )
        cursor.execute("DELETE FROM registry_searchword WHERE word = ANY(%s)", (gone,))
    return True


def _index(ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, (list(ids),))
        rows = cursor.fetchall()
        there = {row[0] for row in rows}
        if gone := [one for one in ids if one not in there]:
            cursor.execute("DELETE FROM registry_searchentry WHERE server_id = ANY(%s)", (gone,))
        if not rows:
            return
        documents = {row[0]: msgspec.json.decode(row[2]) for row in rows}
        known, readmes = _known(documents), _readmes(cursor, list(there))
        entries = [
            entry_of(
                Source(
                    server_id=row[0],
                    name=row[1],
                    document=documents[row[0]],
                    version=row[3],
                    status=row[4],
                    published_at=row[5],
                    updated_at=row[6],
                    versions=row[7],
                    is_local=row[8],
                    verified_by=row[9],
                    readme=readmes.get(row[0], ""),
                    known=known.get(row[0], Known()),
                )
            )
            for row in rows
        ]
        _write(cursor, entries)
        _words_add(cursor, entries)


def _known(documents: dict[int, Any]) -> dict[int, Known]:
    references = {server_id: references_of(read(document)) for server_id, document in documents.items()}
    wanted = {reference for found in references.values() for reference in found}
    seen = {one.reference: one for one in SeenServer.objects.filter(reference__in=wanted)}
    return {
        server_id: known_of([seen[reference] for reference in found if reference in seen])
        for server_id, found in references.items()
        if any(reference in seen for reference in found)
    }


def known_of(seen: Iterable[SeenServer]) -> Known:
    rows = list(seen)
    return Known(
        tools=tuple(dict.fromkeys(tool for one in rows for tool in one.tools)),
        revisions=tuple(dict.fromkeys(revision for one in rows for revision in one.revisions)),
        uses=tuple(dict.fromkeys(use for one in rows for use in one.uses)),
        sign_in=next((one.sign_in for one in rows if one.sign_in), ""),
        is_hosted=any(one.is_hosted for one in rows),
    )


def _readmes(cursor: Any, ids: list[int]) -> dict[int, str]:
    cursor.execute("SELECT server_id, left(text, 20000) FROM registry_readme WHERE server_id = ANY(%s)", (ids,))
    return dict(cursor.fetchall())


def _write(cursor: Any, entries: Sequence[Entry]) -> None:
    columns = ", ".join(f'"{name}"' for name in _COLUMNS)
    places = ", ".join("%s::tsvector" if name == "vector" else "%s" for name in _COLUMNS)
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in [*_COLUMNS[1:], "folded"])
    cursor.executemany(
        f"INSERT INTO registry_searchentry ({columns}, folded) VALUES ({places}, %s)"
        f" ON CONFLICT (server_id) DO UPDATE SET {updates}",
        [(*astuple(entry)[:-1], entry.name.lower()) for entry in entries],
    )


def _words_add(cursor: Any, entries: Iterable[Entry]) -> None:
    found = sorted({word for entry in entries for word in entry.vocabulary if len(word) > 2 and not word.isdigit()})
    # Locks are taken in the words' order, so that two who publish at once wait for each other at most once.
    cursor.execute(
        "INSERT INTO registry_searchword (word, count) SELECT n.word, 1 FROM unnest(%s::text[]) n(word)"
        " WHERE NOT EXISTS (SELECT FROM registry_searchword w WHERE w.word = n.word) ON CONFLICT DO NOTHING",
        (found,),
    )
