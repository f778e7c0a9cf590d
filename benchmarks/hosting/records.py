"""Writing call records with their counts by the hour, beside the ways that one would try first.

python -m benchmarks.hosting.records [--rounds 7]: one process, a database of its own.
"""

from __future__ import annotations

import argparse
import logging
import random
import time
from typing import TYPE_CHECKING, Any

from benchmarks.registry.loaded import django_site
from benchmarks.turns import by_turns

if TYPE_CHECKING:
    from hosting.usage.calls import CallRow

SECOND = 5_000  # calls: what one web process may have to write down each second
FEW = 20  # as on a quiet site
SLOWLY = 200  # calls one by one
TOOLS, DEPLOYMENTS = 12, 10


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=7)
    rounds = asked.parse_args().rounds
    with django_site():
        logging.disable(logging.INFO)
        from hosting.usage.records import calls_write

        many, few, slow = _rows(SECOND), _rows(FEW), _rows(SLOWLY)
        found = by_turns(
            {
                f"calls_write, {SECOND:,} at once": (SECOND, lambda: calls_write(many)),
                f"calls_write, {FEW} at once": (FEW, lambda: calls_write(few)),
                f"bulk_create and one upsert, {SECOND:,}": (SECOND, lambda: _in_bulk(many)),
                "each call by itself": (SLOWLY, lambda: _one_by_one(slow)),
            },
            rounds,
        )
    naive = found["each call by itself"].wall
    print("| way | rows/s | us of processor a row | times as fast |\n|---|---|---|---|")
    for name, taken in found.items():
        print(f"| {name} | {1 / taken.wall:,.0f} | {taken.cpu * 1e6:.1f} | {naive / taken.wall:.1f} |")


def _rows(count: int) -> list[CallRow]:
    """Calls of the last minute of some deployments, by as many users."""
    from hosting.models import Deployment
    from hosting.usage.calls import CallRow
    from tests.factories import make_deployment, make_user

    if not Deployment.objects.exists():
        for number in range(DEPLOYMENTS):
            make_deployment(make_user(f"user{number}"), f"server{number}")
    known = list(Deployment.objects.select_related("owner"))
    dice = random.Random(3)

    def row(deployment: Any) -> CallRow:
        return CallRow(
            deployment_id=str(deployment.pk),
            version_id=str(deployment.current_version_id),
            at=time.time() - dice.random() * 60,
            microseconds=round(dice.lognormvariate(10, 1)),
            method="tools/call",
            tool=f"tool_{dice.randrange(TOOLS)}",
            sub=str(deployment.owner.user_id),
            client="benchmark",
            era="modern",
            bytes_in=200,
            bytes_out=400,
            status=dice.choices(("ok", "tool_error", "error"), (96, 3, 1))[0],
            was_cold=False,
        )

    return [row(dice.choice(known)) for _ in range(count)]


def _record(row: CallRow) -> Any:
    from datetime import UTC, datetime

    from hosting.models import CallRecord

    return CallRecord(
        deployment_id=row.deployment_id,
        version_id=row.version_id,
        user_id=row.sub,
        at=datetime.fromtimestamp(row.at, UTC),
        **{name: getattr(row, name) for name in ("method", "tool", "client", "era", "microseconds", "status")},
        **{name: getattr(row, name) for name in ("bytes_in", "bytes_out", "was_cold")},
    )


def _in_bulk(rows: list[CallRow]) -> None:
    """Django's own way with many rows; the counts as the site makes them."""
    from django.db import transaction

    from hosting.models import CallRecord
    from hosting.usage.tallies import calls_tally

    with transaction.atomic():
        CallRecord.objects.bulk_create([_record(row) for row in rows], batch_size=1000)
        calls_tally(rows)


def _one_by_one(rows: list[CallRow]) -> None:
    """As each request would write its own."""
    from django.db import transaction

    from hosting.usage.tallies import calls_tally

    for row in rows:
        with transaction.atomic():
            _record(row).save(force_insert=True)
            calls_tally([row])


if __name__ == "__main__":
    main()
