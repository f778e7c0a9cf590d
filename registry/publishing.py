"""Publishing a version. The order of checks is the official registry's, since clients tell by it what to mend first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import transaction
from django.utils.translation import gettext

from common import clock
from events.actors import Actor
from events.audit import record
from registry import locking, seams
from registry.changes import servers_changed
from registry.errors import ChangeRefused, DocumentInvalid, DocumentUnbound, NotPermitted
from registry.models import Server, ServerVersion, Status
from registry.permissions import Permission, allows, resources
from registry.server_json import validation
from registry.server_json.reading import remote_keys

MAX_VERSIONS = 10_000  # of one name


@dataclass(frozen=True)
class Publisher:
    """Who proved what: `actor` for the audit, `verified_by` for everybody, as in "github:alice"."""

    actor: Actor
    verified_by: str
    permissions: tuple[Permission, ...]


def check_binds(document: Any) -> dict[str, Any]:
    """Raises DocumentUnbound."""
    breaches = validation.binding(document)
    if breaches:
        raise DocumentUnbound(breaches)
    bound: dict[str, Any] = document
    return bound


def version_publish(*, publisher: Publisher, document: Any) -> ServerVersion:
    """A new version, active. Raises DocumentUnbound, NotPermitted, DocumentInvalid, ChangeRefused, or what the checks
    of package ownership raise. Those ask other sites, and hold no lock meanwhile."""
    bound = check_binds(document)
    name, version = bound["name"], bound["version"]
    if not allows(publisher.permissions, "publish", name):
        raise NotPermitted("not_permitted", _not_permitted(publisher.permissions, name))
    kept = check_document(bound)
    check_not_held(name)
    seams.check_packages(kept)
    with transaction.atomic():
        server = locking.server_ensure_locked(name)
        check_not_taken_down(server)
        keys = check_addresses(name, kept)
        if ServerVersion.objects.filter(server=server).count() >= MAX_VERSIONS:
            raise ChangeRefused(
                "too_many_versions",
                gettext("%(name)s has %(max_versions)s versions, which is the most.")
                % {"name": name, "max_versions": MAX_VERSIONS},
            )
        if ServerVersion.objects.filter(name=name, version=version).exists():
            raise ChangeRefused(
                "version_exists",
                gettext("invalid version: cannot publish duplicate version. Choose another version number."),
            )
        now = clock.now()
        made = ServerVersion.objects.create(
            server=server,
            name=name,
            version=version,
            document=msgspec.json.encode(kept).decode(),
            status_changed_at=now,
            published_at=now,
            updated_at=now,
            changed_at=now,
            remote_keys=keys,
            is_local=True,
        )
        Server.objects.filter(pk=server.pk).update(is_local=True, verified_by=publisher.verified_by[:200])
        locking.latest_decide(server)
        servers_changed([server.pk])
        record(publisher.actor, "server:publish", "server", server.pk, name=name, version=version)
    made.refresh_from_db(fields=["is_latest"])
    return made


def check_document(bound: Mapping[str, Any]) -> dict[str, Any]:
    """As it will be kept. Raises DocumentInvalid, or ChangeRefused for too much that the publisher provides."""
    kept = validation.normalised(dict(bound))
    issues = validation.issues(kept)
    if any(issue.is_error for issue in issues):
        raise DocumentInvalid(issues)
    if (size := validation.publisher_provided_bytes(kept)) > validation.MAX_PUBLISHER_PROVIDED:
        raise ChangeRefused(
            "publisher_provided_too_large",
            gettext("publisher-provided metadata is %(size)s bytes; %(max_publisher_provided)s are the most.")
            % {"size": size, "max_publisher_provided": validation.MAX_PUBLISHER_PROVIDED},
        )
    return kept


def check_not_held(name: str) -> None:
    """Raises NotPermitted. Of a name that is new here and looks like another one."""
    if reason := seams.hold_reason(name):
        raise NotPermitted("publish_held", reason)


def check_not_taken_down(server: Server) -> None:
    if server.taken_down_at is not None:
        raise NotPermitted(
            "taken_down",
            gettext("%(server)s was taken down by this site: %(taken_down_reason)s")
            % {"server": server.name, "taken_down_reason": server.taken_down_reason},
        )


def check_addresses(name: str, document: Mapping[str, Any]) -> list[int]:
    """The keys of its remotes' addresses, locked. Raises ChangeRefused when another server has one of them."""
    keys = remote_keys(document)
    if keys:
        locking.addresses_lock(keys)
        check_addresses_free(name, keys)
    return keys


def check_addresses_free(name: str, keys: list[int]) -> None:
    shown = ServerVersion.objects.exclude(status=Status.DELETED).exclude(name=name)
    other = shown.filter(remote_keys__overlap=keys).values_list("name", flat=True).first()
    if other is not None:
        raise ChangeRefused(
            "remote_taken",
            gettext("remote URL is already used by server %(other)s. Each server has its own.") % {"other": other},
        )


def _not_permitted(permissions: Iterable[Permission], name: str) -> str:
    may = ", ".join(resources(permissions, "publish")) or "nothing"
    words = (
        "You do not have permission to publish this server. "
        f"You have permission to publish: {may}. Attempting to publish: {name}."
    )
    if name.startswith("io.github."):
        words += " To publish for a GitHub organization, be an owner of it and grant read:org, or use GitHub Actions."
    return words
