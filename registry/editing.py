"""Replacing the document of a version, which only holders of `edit` may: publishers publish anew."""

from __future__ import annotations

from typing import Any

import msgspec
from django.db import transaction
from django.utils.translation import gettext

from common import clock
from events.audit import record
from registry import locking, seams
from registry.changes import servers_changed
from registry.errors import ChangeRefused, NotPermitted, ServerUnknown
from registry.models import ServerVersion, Status
from registry.permissions import allows
from registry.publishing import Publisher, check_addresses, check_binds, check_document, check_not_taken_down


def version_edit(*, publisher: Publisher, name: str, version: str, document: Any) -> ServerVersion:
    """Status and latest stay. Raises DocumentUnbound, NotPermitted, ServerUnknown, DocumentInvalid, ChangeRefused."""
    bound = check_binds(document)
    if not allows(publisher.permissions, "edit", name):
        raise NotPermitted("not_permitted", gettext("You do not have edit permissions for this server."))
    _shown(name, version)
    if bound["name"] != name:
        raise ChangeRefused(
            "rename", gettext("Cannot rename server: the name in the document is another than in the path.")
        )
    if bound["version"] != version:
        raise ChangeRefused("version_mismatch", gettext("The version in the document is another than in the path."))
    kept = check_document(bound)
    seams.check_packages(kept)
    with transaction.atomic():
        server = locking.server_locked(name)
        if server is None:
            raise ServerUnknown
        check_not_taken_down(server)
        row = _shown(name, version)
        keys = check_addresses(name, kept)
        now = clock.now()
        ServerVersion.objects.filter(pk=row.pk).update(
            document=msgspec.json.encode(kept).decode(),
            updated_at=now,
            changed_at=now,
            remote_keys=keys,
            marks=[],
            is_local=True,
        )
        servers_changed([server.pk])
        record(publisher.actor, "server:edit", "server", server.pk, name=name, version=version)
    row.refresh_from_db()
    return row


def _shown(name: str, version: str) -> ServerVersion:
    found = ServerVersion.objects.filter(name=name, version=version).exclude(status=Status.DELETED).first()
    if found is None:
        raise ServerUnknown
    return found
