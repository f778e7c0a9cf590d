"""Entries from anywhere into the database, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from registry.importing.records import Imported, NotKept, record
from registry.importing.sources import file_entries
from registry.importing.storing import BATCH, Stored, batch_store
from registry.models import Upstream
from registry.search.indexing import words_count

MAX_REASONS = 100


@dataclass
class Report:
    """What came of an import. `reasons` are of the first hundred entries that were not kept."""

    read: int = 0
    changed: int = 0
    left: int = 0
    not_kept: int = 0
    marked: int = 0
    reasons: list[str] = field(default_factory=list)

    def refuse(self, reason: str) -> None:
        self.not_kept += 1
        if len(self.reasons) < MAX_REASONS:
            self.reasons.append(reason)

    def add(self, stored: Stored) -> None:
        self.changed += stored.changed
        self.left += stored.left

    def __str__(self) -> str:
        return (
            f"{self.read} entries read: {self.changed} added or changed, {self.marked} of them break rules and are "
            f"marked, {self.left} left to who published them here or to another source, {self.not_kept} not kept"
        )


def file_import(path: Path, *, verified_by: str, on_batch: Callable[[Report], None] | None = None) -> Report:
    """Each batch is a transaction of its own: an import that broke off is run again. Raises BadInput."""
    report = Report()
    for batch in _batches(recorded(file_entries(path, report.refuse), report)):
        report.add(batch_store(batch, verified_by=verified_by))
        if on_batch is not None:
            on_batch(report)
    if report.changed:
        words_count()
    return report


def recorded(values: Iterable[Any], report: Report) -> Iterator[Imported]:
    for value in values:
        report.read += 1
        try:
            one = record(value)
        except NotKept as error:
            report.refuse(str(error))
            continue
        report.marked += bool(one.marks)
        yield one


def page_store(values: Iterable[Any], upstream: Upstream, report: Report) -> None:
    report.add(batch_store(list(recorded(values, report)), verified_by=upstream.label, upstream=upstream))


def _batches(entries: Iterable[Imported]) -> Iterator[list[Imported]]:
    batch: list[Imported] = []
    for one in entries:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
