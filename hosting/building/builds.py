"""Building a version: the whole story from a queued version to one that may be called."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction

from common import clock
from events.actors import SYSTEM
from events.audit import record
from events.publish import publish
from events.types import BuildProgress
from hosting import environments, kinds, queue
from hosting.fleet.placing import placement_renew
from hosting.kinds.declared import to_json
from hosting.looks.failed_looks import build_failed_as_of
from hosting.models import Deployment, DeploymentVersion, Environment
from hosting.quotas import quotas
from hosting.services import deployment_move, deployment_note
from hosting.states import State
from hosting.store.environment_rows import environment_note
from hosting.store.sources import archive_of_source
from hosting.store.unused import version_restore

log = structlog.get_logger(__name__)

_LOCK_SPACE = 0x534C  # keeps our advisory locks apart from others' on the same database
_SAVE_SECONDS = 1.0
_PUBLISH_SECONDS = 0.2


def version_build(version_id: UUID) -> None:
    """Builds once, however often it is asked to: by the version's own record, and by a lock while it is under way."""
    with _alone(version_id) as is_alone:
        if not is_alone:
            return
        version = (
            DeploymentVersion.objects.select_related("deployment__owner", "source", "environment")
            .filter(pk=version_id)
            .first()
        )
        if version is None or not (_is_to_install(version) or _is_to_build(version)):
            return
        moved = deployment_move(version.deployment_id, State.BUILDING, "building")
        if not moved and not Deployment.objects.filter(pk=version.deployment_id, state=State.BUILDING).exists():
            return  # stopped or deleted meanwhile; a start queues it again
        _build_within_quota(version)


def _build_within_quota(version: DeploymentVersion) -> None:
    owner = version.deployment.owner
    try:
        with transaction.atomic():
            quotas.build_begin(owner)
    except quotas.QuotaExceeded as error:
        _failed(version, error.message, "")
        return
    began = time.monotonic()
    try:
        _build(version)
    finally:
        quotas.build_end(owner, time.monotonic() - began)


def _build(version: DeploymentVersion) -> None:
    progress = _Progress(version.deployment_id)
    try:
        store, choices = Path(settings.SLIPWAY_STORE), _choices(version)
        reference = _reference(version)
        if reference.kind == "remote":
            _taken(version, kinds.remote_server(reference.name, allows_plain=bool(settings.SLIPWAY_EGRESS_PRIVATE)))
            return
        if _is_to_install(version) and version.environment:
            wanted = environments.Locked(**version.environment.made_from, lock=version.environment.lock)
            built = environments.install(wanted, store, progress, choices)
        else:
            built = environments.build(reference, store, progress, choices)
    except environments.BuildFailed as error:
        _failed(version, error.reason, error.log)
    except Exception:
        log.exception("build_crashed", deployment=str(version.deployment_id), version=str(version.pk))
        _failed(version, "The build failed for a reason of ours; the operator finds it in the worker's log.", "")
    else:
        _built(version, built)


def _reference(version: DeploymentVersion) -> kinds.Reference:
    """What is to be built. As of a day, it is the version that was chosen before: only what it needs is older."""
    reference = kinds.parse(version.reference)
    if version.as_of and version.resolved and not reference.version and reference.kind != "source":
        return replace(reference, version=version.resolved.rpartition(" ")[2])
    return reference


def _choices(version: DeploymentVersion) -> environments.BuildChoices:
    return environments.BuildChoices(
        as_of=version.as_of,
        runs_install_code=version.deployment.runs_install_code,
        sandbox=settings.SLIPWAY_SANDBOX,
        archive=archive_of_source(version.source) if version.source else None,
    )


def _built(version: DeploymentVersion, built: environments.Built) -> None:
    with transaction.atomic():
        if not Deployment.objects.select_for_update().filter(pk=version.deployment_id).exists():
            return  # deleted during the build; the environment is found again or swept
        environment = environment_note(built, Path(settings.SLIPWAY_STORE))
        DeploymentVersion.objects.filter(pk=version.pk).update(
            environment=environment,
            argv=built.argv,
            env=built.env,
            read_only=built.read_only,
            build_log=built.log,
            notices=[*version.notices, *(words for words in built.notices if words not in version.notices)],
        )
        _serve(version, built.resolved, digest=built.digest)
        version.environment = environment
        version_restore(version)


def _taken(version: DeploymentVersion, server: kinds.RemoteServer) -> None:
    """A server that runs elsewhere: there is nothing to build, and the first look tells whether it can be reached."""
    with transaction.atomic():
        if not Deployment.objects.select_for_update().filter(pk=version.deployment_id).exists():
            return
        DeploymentVersion.objects.filter(pk=version.pk).update(
            remote={"url": server.url}, declared=version.declared or to_json(server.declared)
        )
        _serve(version, server.resolved)


def _serve(version: DeploymentVersion, resolved: str, **details: str) -> None:
    """From now on calls go to this version."""
    DeploymentVersion.objects.filter(pk=version.pk).update(resolved=resolved, built_at=clock.now())
    Deployment.objects.filter(pk=version.deployment_id).update(current_version=version)
    placement_renew(version.deployment)
    record(
        SYSTEM,
        "deployment:build",
        "deployment",
        version.deployment_id,
        version=version.number,
        resolved=resolved,
        **details,
    )
    deployment_move(version.deployment_id, State.READY, f"built: {resolved}")
    queue.inspect(version.deployment_id)


def _failed(version: DeploymentVersion, reason: str, build_log: str) -> None:
    """An earlier version that works goes on serving; only a deployment without one fails."""
    with transaction.atomic():
        if build_failed_as_of(version, reason):
            return
        if version.built_at:  # it was built once and would be installed again
            words = f"version {version.number} couldn't be installed again: {reason}"
            deployment_move(version.deployment_id, State.FAILED, words)
            return
        DeploymentVersion.objects.filter(pk=version.pk).update(failure=reason, build_log=build_log)
        record(
            SYSTEM,
            "deployment:build_failed",
            "deployment",
            version.deployment_id,
            version=version.number,
            reason=reason,
        )
        earlier = Deployment.objects.filter(pk=version.deployment_id).values_list("current_version__number", flat=True)
        if number := earlier.first():
            words = f"version {version.number} could not be built, so version {number} still serves: {reason}"
            deployment_move(version.deployment_id, State.READY, words)
        else:
            deployment_move(version.deployment_id, State.FAILED, reason)


def _is_to_build(version: DeploymentVersion) -> bool:
    """Never built, and nothing newer is wanted."""
    return not version.built_at and not version.failure and not _is_superseded(version)


def _is_to_install(version: DeploymentVersion) -> bool:
    """Built once, current, and its environment was taken away (hosting.store.unused)."""
    environment = version.environment
    is_gone = environment is not None and environment.state == Environment.Status.REMOVED
    return bool(version.built_at) and is_gone and version.deployment.current_version_id == version.pk


def _is_superseded(version: DeploymentVersion) -> bool:
    return DeploymentVersion.objects.filter(deployment=version.deployment_id, number__gt=version.number).exists()


class _Progress:
    """Follows the build's progress: at once to open pages, once a second into the row for everybody else."""

    def __init__(self, deployment_id: UUID) -> None:
        self._deployment_id = deployment_id
        self._published_at = self._saved_at = 0.0
        self._text = ""

    def __call__(self, text: str, fraction: float | None = None) -> None:
        now = time.monotonic()
        if text == self._text and now - self._published_at < _PUBLISH_SECONDS:
            return
        self._published_at, self._text = now, text
        publish(BuildProgress(str(self._deployment_id), text, fraction))
        if now - self._saved_at >= _SAVE_SECONDS:
            self._saved_at = now
            deployment_note(self._deployment_id, State.BUILDING, f"building: {text}")


@contextlib.contextmanager
def _alone(version_id: UUID) -> Iterator[bool]:
    """An advisory lock of the session, so that it ends with a killed worker's connection and not before."""
    key = version_id.int & 0x7FFFFFFF
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK_SPACE, key])
        (is_alone,) = cursor.fetchone() or (False,)
    try:
        yield bool(is_alone)
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK_SPACE, key])
