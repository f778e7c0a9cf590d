"""Data folders of deployments: what the runners say of them, and what people do with theirs.

A folder is its user's: only they read it. Where a deployment is shared by all, it is the owner's. The owner knows of
all of them and how large they are, and may delete them; so may users with theirs.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from accounts.models import User
from common.errors import Forbidden, NotFound, Unavailable
from events.actors import Actor
from events.audit import record
from events.publish import publish_on_commit
from events.types import DeploymentChanged
from hosting import queue
from hosting.access.permissions import may_manage, unknown
from hosting.configuration.limits import limits_of
from hosting.models import DataFolder, Deployment, Runner
from hosting.reasons import in_words
from hosting.runner import control
from hosting.runner.folders import SHARED, key_of
from hosting.runner.seen import Status
from hosting.stream.asking import RefusedError
from hosting.stream.links import runner_links
from hosting.stream.stream import DetachedError, RunnerUnavailableError

PAUSE_SECONDS = 0.2
ZIP_SECONDS = 300.0
_KEY = re.compile(r"[0-9a-f]{32}")


# --- what runners have


def folders_seen(runner: Runner, status: Status) -> list[control.DeleteData]:
    """Writes down what lies on this runner; gives what it should delete, since its deployment is gone."""
    known = _known(Deployment.objects.values_list("pk", flat=True), (one.deployment for one in status.folders))
    users = _known(User.objects.values_list("pk", flat=True), (one.subject for one in status.folders))
    rows = [
        DataFolder(
            deployment_id=UUID(one.deployment),
            key=one.key,
            user_id=UUID(one.subject) if one.subject in users else None,
            runner=runner,
            size_bytes=one.size_bytes,
            used_at=datetime.fromtimestamp(one.used_at, UTC),
        )
        for one in status.folders
        if one.deployment in known
    ]
    seen = {(one.deployment, one.key) for one in status.folders}
    with transaction.atomic():
        before = DataFolder.objects.filter(runner=runner)
        gone = [row.pk for row in before if (str(row.deployment_id), row.key) not in seen]
        before.filter(pk__in=gone).delete()
        DataFolder.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["deployment", "key"],
            update_fields=["user", "runner", "size_bytes", "used_at"],
        )
    return [control.DeleteData(deployment) for deployment in sorted({one for one, _ in seen} - known)]


def _known(ids: QuerySet[Any, UUID], texts: Iterable[str]) -> set[str]:
    """Those of `texts` that are ids of these."""
    wanted = {UUID(text) for text in set(texts) if _is_uuid(text)}
    return {str(pk) for pk in ids.filter(pk__in=wanted)} if wanted else set()


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


# --- what people do


@dataclass(frozen=True)
class Holding:
    """A folder as somebody sees it."""

    folder: DataFolder
    may_read: bool
    limit_bytes: int

    @property
    def key(self) -> str:
        return self.folder.key

    @property
    def is_shared(self) -> bool:
        return is_shared(self.folder)

    @property
    def is_full(self) -> bool:
        """No instance starts with it any more."""
        return 0 < self.limit_bytes < self.folder.size_bytes


def is_shared(folder: DataFolder) -> bool:
    return folder.key == key_of(SHARED)


def folders_of(actor: Actor, deployment: Deployment) -> QuerySet[DataFolder]:
    """Those whose existence the actor may know of, by key: all for managers, one's own for everybody else."""
    found = DataFolder.objects.select_related("deployment__owner", "runner", "user").filter(deployment=deployment)
    return (found if may_manage(actor, deployment) else found.filter(user=actor.user_id)).order_by("key")


def holding(actor: Actor, folder: DataFolder) -> Holding:
    return Holding(folder, _may_read(actor, folder), limits_of(folder.deployment.limits).data_bytes)


def folder_get(actor: Actor, deployment: Deployment, key: str) -> DataFolder:
    """Raises NotFound, the same for one that isn't the actor's to know of."""
    found = folders_of(actor, deployment).filter(key=key).first() if _KEY.fullmatch(key) else None
    if found is None:
        raise NotFound("data_unknown", gettext("There is no such data folder, or it isn't yours."))
    return found


def data_folder_delete(*, actor: Actor, folder: DataFolder) -> None:
    """Ends the instance that uses it, and deletes it for good. Raises NotFound and Unavailable."""
    _check_is_ones(actor, folder)
    _ask(folder.runner, control.DeleteData(str(folder.deployment_id), folder.key))
    with transaction.atomic():
        DataFolder.objects.filter(pk=folder.pk).delete()
        user = str(folder.user_id) if folder.user_id else None
        record(actor, "deployment:delete_data", "deployment", folder.deployment_id, key=folder.key, user=user)
        publish_on_commit(DeploymentChanged(str(folder.deployment_id)))
        queue.reconcile()


def data_folder_zip(*, actor: Actor, folder: DataFolder) -> AsyncGenerator[bytes]:
    """The folder as a zip, in parts. Raises NotFound, Forbidden and Unavailable at once, and Unavailable later."""
    _check_is_ones(actor, folder)
    if not _may_read(actor, folder):
        raise Forbidden("data_of_another", gettext("Only the person whose calls filled this folder may read it."))
    wanted = control.GetData(str(folder.deployment_id), folder.key)
    begun = _ask(folder.runner, wanted)
    record(actor, "deployment:download_data", "deployment", folder.deployment_id, key=folder.key)
    return _parts(folder.runner, control.GetData(wanted.deployment, wanted.key, begun.ticket))


def _may_read(actor: Actor, folder: DataFolder) -> bool:
    """What one person's calls have left is read by nobody else, also when that person is gone."""
    if is_shared(folder):
        return may_manage(actor, folder.deployment)
    return folder.user_id is not None and folder.user_id == actor.user_id


def _check_is_ones(actor: Actor, folder: DataFolder) -> None:
    is_own = folder.user_id is not None and folder.user_id == actor.user_id
    if not is_own and not may_manage(actor, folder.deployment):
        raise unknown()


def _ask(runner: Runner, asked: control.Operation) -> Any:
    async def run() -> Any:
        async with runner_links() as pool:
            return await (await pool.link(runner.address)).ask(asked)

    try:
        return asyncio.run(run())
    except (RunnerUnavailableError, DetachedError) as error:
        raise _silent(runner, error) from error


async def _parts(at: Runner, asked: control.GetData) -> AsyncGenerator[bytes]:
    try:
        async with runner_links() as pool:
            link = await pool.link(at.address)
            deadline = link.loop.time() + ZIP_SECONDS
            is_last = False
            while not is_last:
                part = await link.ask(asked)
                is_last = part.is_last
                asked = control.GetData(asked.deployment, asked.key, part.ticket, asked.offset + len(part.body))
                if part.body:
                    yield part.body
                elif not part.is_ready:
                    if link.loop.time() > deadline:
                        raise TimeoutError
                    await asyncio.sleep(PAUSE_SECONDS)
    except (RunnerUnavailableError, DetachedError, TimeoutError) as error:
        raise _silent(at, error) from error


def _silent(runner: Runner, error: Exception) -> Unavailable:
    if isinstance(error, RefusedError):
        return Unavailable(
            "data_unready",
            gettext("The runner %(runner)s, where this data lies, says: %(error)s.")
            % {"runner": runner.name, "error": in_words(str(error))},
        )
    words = gettext("The runner %(runner)s, where this data lies, doesn't answer. Try again later.")
    return Unavailable("runner_silent", words % {"runner": runner.name})
