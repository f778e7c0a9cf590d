"""What went out, kept by the runner until the site has written it down: batches with a number, given again until taken.

A batch stays as it is while it waits for its acknowledgement, so that the site may add it up once and only once,
however often it is told.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hosting.runner.seen import EgressBatch, EgressCount

MAX_ROWS = 20_000  # that wait; a site that is away for days loses the names of what comes on top, not the octets
BATCH_ROWS = 200
OTHERS = "(other hosts)"


class Ledger(msgspec.Struct):
    number: int = 0  # of the batch that waits, or of the last one
    waiting: list[EgressCount] = []
    growing: dict[str, EgressCount] = {}

    def add(self, rows: Iterable[EgressCount]) -> None:
        for row in rows:
            key = f"{row.deployment} {row.host} {row.port}"
            if key not in self.growing and len(self.growing) >= MAX_ROWS:
                row = msgspec.structs.replace(row, host=OTHERS, port=0)
                key = f"{row.deployment} {row.host} {row.port}"
            known = self.growing.get(key)
            self.growing[key] = row if known is None else _sum(known, row)

    def next(self, taken: int, boot: str) -> EgressBatch:
        """The oldest batch that was not taken. `taken` is the number of the last one that the site has written down."""
        if self.waiting and taken < self.number:
            return EgressBatch(boot, self.number, self.waiting)
        self.waiting = [self.growing.pop(key) for key in list(self.growing)[:BATCH_ROWS]]
        if self.waiting:
            self.number = max(self.number, taken) + 1
        return EgressBatch(boot, self.number, self.waiting)


def _sum(one: EgressCount, other: EgressCount) -> EgressCount:
    return EgressCount(
        one.deployment,
        one.host,
        one.port,
        one.connections + other.connections,
        one.refused + other.refused,
        one.octets + other.octets,
    )
