"""Changing the status of one version or of all versions of a server. Deleting is one too: soft, and undone alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from common import clock
from events.audit import record
from registry import locking
from registry.changes import servers_changed
from registry.errors import ChangeRefused, NotPermitted, ServerUnknown
from registry.models import Server, ServerVersion, Status
from registry.permissions import allows_any
from registry.publishing import Publisher, check_addresses_free, check_not_taken_down

MAX_MESSAGE = 500


@dataclass(frozen=True)
class Wanted:
    """`message` None leaves it as it is while the status stays; with another status the old one goes."""

    status: str
    message: str | None = None

    def change_of(self, row: ServerVersion) -> dict[str, Any]:
        """The fields that would change; empty when nothing would."""
        message = self.message or None
        if self.message is None and row.status == self.status and self.status != Status.ACTIVE:
            message = row.status_message
        change: dict[str, Any] = {}
        if row.status != self.status:
            change["status"] = self.status
        if (row.status_message or None) != message:
            change["status_message"] = message
        return change


def version_status_set(*, publisher: Publisher, name: str, version: str, wanted: Wanted) -> ServerVersion:
    """Raises NotPermitted, ServerUnknown, ChangeRefused."""
    _check(publisher, name, wanted)
    with transaction.atomic():
        server = _locked(name)
        row = ServerVersion.objects.filter(name=name, version=version).first()
        if row is None:
            raise ServerUnknown
        if not _apply(publisher, server, [row], wanted):
            raise ChangeRefused(
                "no_changes", gettext("No changes to apply: status is already %(status)s") % {"status": wanted.status}
            )
    row.refresh_from_db()
    return row


def server_status_set(*, publisher: Publisher, name: str, wanted: Wanted) -> list[ServerVersion]:
    """All versions, changed or not; the newest first. Raises NotPermitted, ServerUnknown, ChangeRefused."""
    _check(publisher, name, wanted)
    with transaction.atomic():
        server = _locked(name)
        rows = list(ServerVersion.objects.filter(server=server))
        if not rows:
            raise ServerUnknown
        if not _apply(publisher, server, rows, wanted):
            raise ChangeRefused(
                "no_changes",
                gettext("No changes to apply: all versions are %(status)s already") % {"status": wanted.status},
            )
    return list(ServerVersion.objects.filter(server=server).order_by("-published_at", "-id"))


def _check(publisher: Publisher, name: str, wanted: Wanted) -> None:
    if not allows_any(publisher.permissions, name):
        raise NotPermitted("not_permitted", gettext("You do not have publish or edit permissions for this server."))
    if wanted.message and wanted.status == Status.ACTIVE:
        raise ChangeRefused("message_of_active", gettext("statusMessage can't be given with the status active."))


def _locked(name: str) -> Server:
    server = locking.server_locked(name)
    if server is None:
        raise ServerUnknown
    check_not_taken_down(server)
    return server


def _apply(publisher: Publisher, server: Server, rows: Sequence[ServerVersion], wanted: Wanted) -> bool:
    """False when nothing would change. Only rows that change are touched."""
    changes = [(row, change) for row in rows if (change := wanted.change_of(row))]
    if not changes:
        return False
    _check_addresses_still_free(server, [row for row, _ in changes], wanted)
    now = clock.now()
    for row, change in changes:
        if "status" in change:
            change["status_changed_at"] = now
        ServerVersion.objects.filter(pk=row.pk).update(**change, updated_at=now, changed_at=now, is_local=True)
    locking.latest_decide(server)
    servers_changed([server.pk])
    versions = [row.version for row, _ in changes][:100]
    record(
        publisher.actor, "server:status", "server", server.pk, name=server.name, status=wanted.status, versions=versions
    )
    return True


def _check_addresses_still_free(server: Server, rows: Sequence[ServerVersion], wanted: Wanted) -> None:
    """What was deleted has lost its remotes' addresses; another server may have them now."""
    if wanted.status == Status.DELETED:
        return
    keys = [key for row in rows if row.status == Status.DELETED for key in row.remote_keys]
    if keys:
        locking.addresses_lock(keys)
        check_addresses_free(server.name, keys)
