"""Taking a server down: by an operator or moderator, over publishers and upstreams alike.

All its versions are shown as deleted, nobody may publish or restore them, and imports leave them alone. What is hosted
from it stops (hosting looks for servers that were taken down).
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from common import clock
from events.actors import Actor
from events.audit import record
from events.publish import publish_on_commit
from events.types import ServerTakenDown
from registry import locking
from registry.changes import servers_changed
from registry.errors import ChangeRefused, ServerUnknown
from registry.models import Server, ServerVersion, Status


def server_take_down(*, actor: Actor, name: str, reason: str) -> Server:
    """`reason` is public. Who may is for the caller to have checked. Raises ServerUnknown, ChangeRefused."""
    words = f"Taken down by this site: {reason.strip()}"[:500]
    with transaction.atomic():
        server = _locked(name)
        if server.taken_down_at is not None:
            raise ChangeRefused("taken_down_already", gettext("%(name)s was taken down already.") % {"name": name})
        now = clock.now()
        shown = ServerVersion.objects.filter(server=server).exclude(status=Status.DELETED)
        server.statuses_before = {
            str(row.pk): [row.status, row.status_message, row.status_changed_at.isoformat()] for row in shown
        }
        server.taken_down_at, server.taken_down_reason = now, reason.strip()[:500]
        server.save(update_fields=["statuses_before", "taken_down_at", "taken_down_reason"])
        shown.update(status=Status.DELETED, status_message=words, status_changed_at=now, updated_at=now, changed_at=now)
        locking.latest_decide(server)
        servers_changed([server.pk])
        record(actor, "server:take_down", "server", server.pk, name=name, reason=server.taken_down_reason)
        publish_on_commit(ServerTakenDown(name))
    return server


def server_restore(*, actor: Actor, name: str) -> Server:
    """With the statuses of before. Raises ServerUnknown, ChangeRefused."""
    with transaction.atomic():
        server = _locked(name)
        if server.taken_down_at is None:
            raise ChangeRefused("not_taken_down", gettext("%(name)s was not taken down.") % {"name": name})
        now = clock.now()
        before: dict[str, Any] = server.statuses_before
        for row in ServerVersion.objects.filter(server=server, pk__in=[int(key) for key in before]):
            status, message, _ = before[str(row.pk)]
            ServerVersion.objects.filter(pk=row.pk).update(
                status=status, status_message=message, status_changed_at=now, updated_at=now, changed_at=now
            )
        server.taken_down_at, server.taken_down_reason, server.statuses_before = None, "", {}
        server.save(update_fields=["statuses_before", "taken_down_at", "taken_down_reason"])
        locking.latest_decide(server)
        servers_changed([server.pk])
        record(actor, "server:restore", "server", server.pk, name=name)
    return server


def _locked(name: str) -> Server:
    server = locking.server_locked(name)
    if server is None:
        raise ServerUnknown
    return server
