"""A server by its name, and its versions as they are served."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from common import clock
from registry.models.statuses import Status
from registry.models.upstreams import Upstream

# Plain byte order, as the list's order and cursors need it whatever the database's locale is.
_BYTES = "C"


class Server(models.Model):
    """One name. Its row is the lock under which versions are added and statuses change."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=200, unique=True, db_collation=_BYTES)
    folded = models.CharField(max_length=200, db_index=True, help_text="the name in lower case")
    # Whose word stands for it. Once somebody has proven the namespace to this site, no upstream changes it.
    is_local = models.BooleanField(default=False, help_text="published here, by somebody who proved the namespace")
    verified_by = models.CharField(max_length=200, blank=True, help_text="the proof, or the upstream that took it")
    upstream = models.ForeignKey(Upstream, null=True, blank=True, on_delete=models.SET_NULL, related_name="servers")
    taken_down_at = models.DateTimeField(null=True, blank=True)
    taken_down_reason = models.CharField(max_length=500, blank=True)
    statuses_before = models.JSONField(
        default=dict, blank=True, help_text="of versions by id, [status, message, changed at], while taken down"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("name",)
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["taken_down_at"],
                name="registry_server_taken_down",
                condition=models.Q(taken_down_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def namespace(self) -> str:
        return self.name.partition("/")[0]


class ServerVersion(models.Model):
    """One version. Its id is the publish sequence; lists are by name, then by that.

    `document` is the server.json as it is served, byte for byte. `changed_at` is this site's own time of the last
    change of the document, status or message; the other times are an entry's own and come along when it is imported.
    """

    id = models.BigAutoField(primary_key=True)
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="versions")
    name = models.CharField(max_length=200, db_collation=_BYTES, help_text="of the server: it never changes")
    version = models.CharField(max_length=255, db_collation=_BYTES)
    document = models.TextField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    status_message = models.CharField(max_length=500, null=True, blank=True)
    status_changed_at = models.DateTimeField(default=clock.now)
    published_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)
    is_latest = models.BooleanField(default=False)
    is_local = models.BooleanField(default=False, help_text="published or changed here: imports leave it alone")
    remote_keys = ArrayField(
        models.BigIntegerField(), default=list, blank=True, help_text="digests of its remotes' addresses"
    )
    marks = models.JSONField(default=list, blank=True, help_text="issues of an imported document: path, reference …")

    class Meta:
        ordering = ("name", "id")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["name", "version"], name="registry_version_once"),
            models.UniqueConstraint(
                fields=["server"], condition=models.Q(is_latest=True), name="registry_one_latest_per_server"
            ),
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="registry_status_known"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["name", "id"], name="registry_by_name"),
            models.Index(
                fields=["name", "id"],
                name="registry_shown",
                condition=~models.Q(status="deleted"),
            ),
            models.Index(fields=["name", "id"], name="registry_latest", condition=models.Q(is_latest=True)),
            models.Index(fields=["changed_at", "id"], name="registry_by_change"),
            GinIndex(fields=["remote_keys"], name="registry_remote_keys"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def server_json(self) -> dict[str, Any]:
        """The document, read anew each time."""
        found: dict[str, Any] = msgspec.json.decode(self.document)
        return found
