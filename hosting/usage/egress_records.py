"""What deployments reached on the network, fetched from the runners and added up by day and host."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import date
from functools import partial
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F

from common import clock
from hosting.models import Deployment, EgressRecord, Runner, UsageDay
from hosting.quotas.changes import egress_enforce
from hosting.runner import control
from hosting.runner.seen import EgressBatch, EgressCount
from hosting.stream.links import links
from hosting.stream.stream import DetachedError, RunnerPool, RunnerUnavailableError

log = structlog.get_logger(__name__)

ASK_SECONDS = 4.0
MAX_BATCHES = 20  # in one round


def egress_collect() -> None:
    """What each runner has. Safe beside itself: of two that bring the same batch, one writes it."""
    runners = {runner.address: runner for runner in Runner.objects.filter(state=Runner.Status.LIVE)}
    for _ in range(MAX_BATCHES):
        taken = {address: runner.egress_taken for address, runner in runners.items()}
        batches = links.run(partial(_ask_all, taken=taken))
        runners = {
            address: runner
            for address, runner in runners.items()
            if (batch := batches[address]) is not None and batch.counts and egress_write(runner, batch)
        }
        if not runners:
            break
    egress_enforce()


def egress_write(runner: Runner, batch: EgressBatch) -> bool:
    """Adds a batch up unless that was done; whether it was now."""
    today = clock.now().date()
    mark = f"{batch.boot}:{batch.number}"
    with transaction.atomic():
        if not Runner.objects.filter(pk=runner.pk, egress_taken=runner.egress_taken).update(egress_taken=mark):
            return False
        runner.egress_taken = mark
        wanted = {one.deployment for one in batch.counts if _is_uuid(one.deployment)}
        owners = {
            str(pk): owner for pk, owner in Deployment.objects.filter(pk__in=wanted).values_list("pk", "owner_id")
        }
        known = [one for one in batch.counts if one.deployment in owners]
        for one in known:
            _add(one, today)
        used: defaultdict[UUID, int] = defaultdict(int)
        for one in known:
            used[owners[one.deployment]] += one.octets
        for owner_id, octets in used.items():
            day, _ = UsageDay.objects.get_or_create(owner_id=owner_id, day=today)
            UsageDay.objects.filter(pk=day.pk).update(egress_bytes=F("egress_bytes") + octets)
    return True


def _add(one: EgressCount, day: date) -> None:
    row, _ = EgressRecord.objects.get_or_create(
        deployment_id=UUID(one.deployment), day=day, host=one.host, port=one.port
    )
    EgressRecord.objects.filter(pk=row.pk).update(
        connections=F("connections") + one.connections,
        refused=F("refused") + one.refused,
        octets=F("octets") + one.octets,
        seen_at=clock.now(),
    )


async def _ask_all(pool: RunnerPool, taken: dict[str, str]) -> dict[str, EgressBatch | None]:
    batches = await asyncio.gather(*(_ask(pool, address, mark) for address, mark in taken.items()))
    return dict(zip(taken, batches, strict=True))


async def _ask(pool: RunnerPool, address: str, taken: str) -> EgressBatch | None:
    """Of a runner that was started since, nothing was taken."""
    boot, _, number = taken.rpartition(":")
    try:
        async with asyncio.timeout(ASK_SECONDS):
            link = await pool.link(address)
            last = int(number) if boot == link.boot and number.isdigit() else 0
            return await link.ask(control.GetEgress(last))
    except (TimeoutError, RunnerUnavailableError, DetachedError) as error:
        log.info("egress_not_told", address=address, error=str(error))
        return None


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
