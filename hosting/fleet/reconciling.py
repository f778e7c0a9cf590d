"""Wanted against seen: every few seconds the runners say what they hold, and the records are brought up to date.

Nothing here starts an instance: calls do, and they place what their runner doesn't hold. This lets go of what isn't
wanted, writes down what was seen, and finds jobs that were lost. Which runners are dead says `runner_watch`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from common import clock
from events.actors import SYSTEM
from events.audit import record
from events.publish import publish_on_commit
from events.types import DeploymentChanged
from hosting import queue, selectors
from hosting.building import registry_entries
from hosting.fleet import owner_shares
from hosting.fleet import watch as runner_watch
from hosting.looks import entry_facts
from hosting.looks.failed_looks import failure_noted, names_given
from hosting.models import Deployment, DeploymentVersion, Instance, Runner, RunnerPlacement
from hosting.questions.policies import refusals_note
from hosting.remotes import care as account_care
from hosting.runner import control
from hosting.runner.seen import PlacementSeen, Status
from hosting.services import deployment_move
from hosting.states import SEEN, State
from hosting.store.data_folders import folders_seen
from hosting.stream.links import runner_links
from hosting.stream.stream import DetachedError, RunnerPool, RunnerUnavailableError

log = structlog.get_logger(__name__)

ASK_SECONDS = 4.0
STARTING_GRACE = timedelta(seconds=6)  # a start that was announced but hasn't reached its runner yet
FORGOTTEN_AFTER = timedelta(seconds=60)
LOOK_FORGOTTEN_AFTER = timedelta(seconds=180)  # longer than a look and its retries take
MAX_AGAIN = 20
_QUEUED = ("deployment_id", "queued_at")
_LOCK = (0x534C, 0x7265636F)
_STATES = {"asleep": State.READY, "starting": State.STARTING, "running": State.RUNNING, "failed": State.FAILED}


def reconcile() -> None:
    """One round. A second one at the same time does nothing."""
    with _alone() as is_alone:
        if not is_alone:
            return
        runners = list(Runner.objects.all())
        statuses = asyncio.run(_ask_all({runner.name: runner.address for runner in runners}))
        for runner in runners:
            if status := statuses.get(runner.name):
                runner_watch.runner_seen(runner, status)
        unwanted = [
            drop for runner in runners if runner.name in statuses for drop in _compare(runner, statuses[runner.name])
        ]
        if unwanted:
            asyncio.run(_tell_all(unwanted))
        registry_entries.taken_down_stop()
        entry_facts.hosted_follow()
        owner_shares.shares_balance((one, statuses[one.name]) for one in runners if one.name in statuses)
        _queue_forgotten_jobs()
        _finish_deletions()


# --- asking


async def _ask_all(addresses: dict[str, str]) -> dict[str, Status]:
    """What each runner that answers in time says, by name. One that answers at another's address counts as silent."""
    async with runner_links() as pool:
        answers = await asyncio.gather(*(_ask(pool, name, address) for name, address in addresses.items()))
    return {name: status for name, status in zip(addresses, answers, strict=True) if status is not None}


async def _ask(pool: RunnerPool, name: str, address: str) -> Status | None:
    try:
        async with asyncio.timeout(ASK_SECONDS):
            status = await (await pool.link(address)).ask(control.GetStatus())
    except (TimeoutError, RunnerUnavailableError, DetachedError) as error:
        log.info("runner_silent", runner=name, error=str(error))
        return None
    return status if status.runner == name else None


async def _tell_all(drops: list[tuple[str, control.Order]]) -> None:
    async with runner_links() as pool:
        for address, operation in drops:
            await tell(pool, address, operation)


async def tell(pool: RunnerPool, address: str, operation: control.Order) -> None:
    """Failing is no harm: the runner is gone, or the next round repeats it."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            await (await pool.link(address)).ask(operation)
    except (TimeoutError, RunnerUnavailableError, DetachedError) as error:
        log.info("order_failed", order=type(operation).__name__, error=str(error))


# --- placements and instances


def _compare(runner: Runner, status: Status) -> list[tuple[str, control.Order]]:
    """Writes down what this runner has; gives what it should let go of."""
    known = {
        str(placement.deployment_id): placement
        for placement in RunnerPlacement.objects.filter(
            deployment_id__in=[UUID(seen.deployment) for seen in status.placements if _is_uuid(seen.deployment)]
        )
    }
    drops: list[tuple[str, control.Order]] = []
    kept: dict[str, PlacementSeen] = {}
    for seen in status.placements:
        placement = known.get(seen.deployment)
        if placement is not None and placement.runner_id == runner.pk:
            kept[seen.deployment] = seen
            if seen.sign_in is not None:
                account_care.account_refused(placement.deployment_id, seen.sign_in)
            for asked in seen.own_sign_ins:
                account_care.account_refused(placement.deployment_id, asked)
            if seen.refused:
                refusals_note(placement.deployment_id, seen.refused)
            if seen.epoch > placement.epoch:  # our records are older than the runner's: restored from a backup
                RunnerPlacement.objects.filter(pk=placement.pk, epoch__lt=seen.epoch).update(epoch=seen.epoch + 1)
        else:
            grace = settings.SLIPWAY_DRAIN_SECONDS if status.draining else 0.0
            unplace = control.Unplace(seen.deployment, seen.epoch, "no longer placed here", grace)
            drops.append((runner.address, unplace))
    drops += [(runner.address, order) for order in folders_seen(runner, status)]
    _instances_write(runner, kept)
    _states_write(runner, kept)
    if asking := {UUID(pk) for pk, seen in kept.items() if any(i.asks_people for i in seen.instances)}:
        entry_facts.questions_seen(asking)
    return drops


def _instances_write(runner: Runner, kept: dict[str, PlacementSeen]) -> None:
    now = clock.now()
    versions = {
        str(pk)
        for pk in DeploymentVersion.objects.filter(deployment__in=[UUID(pk) for pk in kept]).values_list(
            "pk", flat=True
        )
    }
    before = {row.pk: row for row in Instance.objects.filter(runner=runner)}
    rows = [
        Instance(
            id=f"{runner.name}.{i.id}",
            deployment_id=UUID(deployment),
            version_id=UUID(i.version) if i.version in versions else None,
            runner=runner,
            state=i.state,
            reason=i.reason,
            era=i.era,
            revision=i.revision,
            pid=i.pid,
            memory_bytes=i.memory_bytes,
            calls=i.calls,
            started_at=datetime.fromtimestamp(i.started_at, UTC),
            seen_at=now,
        )
        for deployment, seen in kept.items()
        for i in seen.instances
    ]
    with transaction.atomic():
        gone = [row for pk, row in before.items() if pk not in {new.pk for new in rows}]
        Instance.objects.filter(pk__in=[row.pk for row in gone]).delete()
        Instance.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["state", "reason", "era", "revision", "pid", "memory_bytes", "calls", "seen_at"],
        )
        changed = {row.deployment_id for row in gone}
        changed |= {row.deployment_id for row in rows if row.pk not in before or before[row.pk].state != row.state}
        for deployment_id in changed:
            publish_on_commit(DeploymentChanged(str(deployment_id)))


def _states_write(runner: Runner, kept: dict[str, PlacementSeen]) -> None:
    """States follow what is seen, but only between the states that seeing decides."""
    placed = (
        Deployment.objects.select_related("current_version")
        .filter(placement__runner=runner, state__in=SEEN)
        .annotate(epoch=F("placement__epoch"))
    )
    for deployment in placed:
        seen = kept.get(str(deployment.pk))
        if seen is not None and seen.epoch == deployment.epoch:
            to, reason = _STATES.get(seen.state, State.READY), seen.reason
            # A look says more about the same failure, in front of the runner's words.
            if to != deployment.state or (to == State.FAILED and not deployment.reason.endswith(reason)):
                if to == State.FAILED and deployment.current_version:
                    reason = failure_noted(deployment.current_version, reason, given=names_given(deployment))
                _follow(deployment, to, reason)
        elif (
            deployment.state in (State.STARTING, State.RUNNING) and clock.now() - deployment.changed_at > STARTING_GRACE
        ):
            _follow(deployment, State.READY, "asleep")


def _follow(deployment: Deployment, to: State, reason: str) -> None:
    if to == deployment.state:
        Deployment.objects.filter(pk=deployment.pk, state=to).update(reason=reason)
        publish_on_commit(DeploymentChanged(str(deployment.pk)))
    else:
        deployment_move(deployment.pk, to, reason, only_from=frozenset({State(deployment.state)}))


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


# --- what was lost or left


def _queue_forgotten_jobs() -> None:
    """At most once a minute for each: a job that only waits for its turn comes again and finds nothing to do."""
    now = clock.now()
    for version in selectors.builds_forgotten(now - FORGOTTEN_AFTER).only(*_QUEUED)[:MAX_AGAIN]:
        if _is_mine(version, now):
            queue.build(version.pk)
    for version in selectors.looks_forgotten(now - LOOK_FORGOTTEN_AFTER).only(*_QUEUED)[:MAX_AGAIN]:
        if _is_mine(version, now):
            queue.inspect(version.deployment_id)


def _is_mine(version: DeploymentVersion, now: datetime) -> bool:
    return bool(DeploymentVersion.objects.filter(pk=version.pk, queued_at=version.queued_at).update(queued_at=now))


def _finish_deletions() -> None:
    """A runner that still holds one of these is told to let go as soon as it is seen: its id is nobody's then."""
    for deployment in Deployment.objects.filter(state=State.DELETING):
        with transaction.atomic():
            record(SYSTEM, "deployment:purge", "deployment", deployment.pk, name=deployment.name)
            deployment.delete()


@contextlib.contextmanager
def _alone() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", list(_LOCK))
        (is_alone,) = cursor.fetchone() or (False,)
    try:
        yield bool(is_alone)
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", list(_LOCK))
