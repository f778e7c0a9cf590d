"""What of the store nobody needs: old versions, environments that no version would soon start from, old uploads.

An environment that is taken away keeps its row with the exact set that it was made from: a version that goes back to
it is built again from that. Nothing goes that an instance runs from.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import ProtectedError, Q, QuerySet

from common import clock
from events.actors import SYSTEM
from events.audit import record
from hosting import environments, queue
from hosting.models import Deployment, DeploymentVersion, Environment, Instance, SourceArchive
from hosting.services import deployment_move
from hosting.states import CALLABLE, State
from hosting.store.environment_rows import environment_lock

log = structlog.get_logger(__name__)

MAX_VERSIONS = 20  # of a deployment; older ones are forgotten
READY_VERSIONS = 3  # before the current one, whose environments stay installed
UNUSED_FOR = timedelta(days=1)
_Status = Environment.Status


def purge(store: Path) -> None:
    versions_prune()
    environments_unload(store)
    environments_forget(store)
    environments_unknown_remove(store)
    sources_forget()
    currents_restore()


def versions_prune() -> None:
    """Forgets versions beyond the newest ones, never the current one or one that something runs from."""
    for deployment in Deployment.objects.exclude(state=State.DELETING).only("pk", "current_version_id"):
        numbers = deployment.versions.order_by("-number").values_list("number", flat=True)
        newest = list(numbers[: MAX_VERSIONS + 1])
        if len(newest) <= MAX_VERSIONS:
            continue
        old = deployment.versions.filter(number__lte=newest[-1], instances=None)
        old = old.exclude(pk__in=_current_ids()).exclude(built_at=None, failure="")
        with transaction.atomic():
            forgotten = sorted(old.values_list("number", flat=True))
            old.delete()
            if forgotten:
                record(SYSTEM, "deployment:prune", "deployment", deployment.pk, versions=forgotten)


def environments_unload(store: Path) -> None:
    """Takes away installed environments that versions name, but none that is likely to be started from."""
    wanted = _wanted_ids()
    for environment in Environment.objects.filter(state=_Status.READY).exclude(pk__in=wanted).exclude(versions=None):
        with transaction.atomic():
            environment_lock(environment.digest)
            locked = Environment.objects.select_for_update().filter(pk=environment.pk, state=_Status.READY).first()
            # Without the exact set it couldn't be built again; such rows are older than that column.
            if locked is None or not locked.made_from or locked.pk in _wanted_ids():
                continue
            environments.remove(locked.digest, store)
            if environments.is_there(locked.digest, store):
                continue  # somebody is building it at this moment
            Environment.objects.filter(pk=locked.pk).update(state=_Status.REMOVED, size_bytes=0)
        log.info("environment_unloaded", digest=environment.digest)


def environments_forget(store: Path) -> None:
    """Removes environments that no version has named for a day."""
    Environment.objects.filter(versions=None, unused_since=None).update(unused_since=clock.now())
    Environment.objects.exclude(versions=None).exclude(unused_since=None).update(unused_since=None)
    for environment in Environment.objects.filter(versions=None, unused_since__lt=clock.now() - UNUSED_FOR):
        with suppress(ProtectedError), transaction.atomic():
            environment_lock(environment.digest)
            environment.delete()  # first: a version that took it meanwhile makes this fail
            environments.remove(environment.digest, store)
            log.info("environment_removed", digest=environment.digest)


def environments_unknown_remove(store: Path) -> None:
    """Removes what lies in the store for a day and no row calls ready: its builder died before it could say so, its
    deployment was deleted meanwhile, or it was in use when its row went."""
    for digest in environments.older(store, UNUSED_FOR.total_seconds()):
        with transaction.atomic():
            environment_lock(digest)
            if Environment.objects.filter(digest=digest, state=_Status.READY).exists():
                continue
            if environments.remove(digest, store):
                log.info("environment_unknown_removed", digest=digest)


def sources_forget() -> None:
    for source in SourceArchive.objects.filter(versions=None, created_at__lt=clock.now() - UNUSED_FOR).defer("content"):
        try:
            source.delete()
        except ProtectedError:  # deployed at this moment
            continue


def currents_restore() -> None:
    """A version that became the current one while its environment was taken away is built again."""
    gone = DeploymentVersion.objects.filter(pk__in=_current_ids(), environment__state=_Status.REMOVED)
    for version in gone:
        with transaction.atomic():
            version_restore(version)


def version_restore(version: DeploymentVersion) -> bool:
    """Queues the installation of a built version's environment, if that was taken away; False when it is there.

    Call it in the transaction that makes the version the current one."""
    if version.environment_id is None:
        return False
    # Whoever takes it away holds the row until that is done, and looks at what is current after that.
    environment = Environment.objects.select_for_update(no_key=True).get(pk=version.environment_id)
    if environment.state != _Status.REMOVED:
        return False
    if deployment_move(version.deployment_id, State.QUEUED, "queued for installing it again", only_from=CALLABLE):
        queue.build(version.pk)
    return True


def _current_ids() -> QuerySet[Deployment, UUID | None]:
    return Deployment.objects.exclude(current_version=None).values_list("current_version_id", flat=True)


def _wanted_ids() -> set[UUID]:
    """Environments of each deployment's current version, those shortly before it, and whatever came after it."""
    keep: set[UUID] = set()
    deployments = Deployment.objects.exclude(state=State.DELETING).select_related("current_version")
    for deployment in deployments:
        current = deployment.current_version
        built = deployment.versions.exclude(environment=None)
        if current is None:
            keep |= set(built.order_by("-number").values_list("environment_id", flat=True)[: READY_VERSIONS + 1])
            continue
        before = built.filter(number__lt=current.number).order_by("-number")[:READY_VERSIONS]
        after = built.filter(number__gte=current.number)
        keep |= {pk for versions in (before, after) for pk in versions.values_list("environment_id", flat=True)}
    running = Q(pk__in=Instance.objects.exclude(version=None).values("version_id"))
    keep |= set(DeploymentVersion.objects.filter(running).values_list("environment_id", flat=True))
    return keep - {None}
