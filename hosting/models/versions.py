"""One build of a deployment, the environment it runs from and the source it was made of."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy

from common import clock, ids
from hosting.models.deployments import Deployment


class Environment(models.Model):
    """A built, content-addressed environment in the store. Versions with equal contents share one."""

    class Status(models.TextChoices):
        BUILDING = "building", gettext_lazy("Building")
        READY = "ready", gettext_lazy("Ready")
        FAILED = "failed", gettext_lazy("Failed")
        REMOVED = "removed", gettext_lazy("Removed")  # to save space; `made_from` and `lock` build it again

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    digest = models.CharField(max_length=128, unique=True)
    kind = models.CharField(max_length=20)
    path = models.CharField(max_length=500)
    lock = models.TextField(blank=True)
    made_from = models.JSONField(default=dict, blank=True, help_text="the rest of the exact set (kinds.locked.Locked)")
    state = models.CharField(max_length=10, choices=Status.choices, default=Status.READY)
    reason = models.TextField(blank=True)
    size_bytes = models.BigIntegerField(default=0)
    unused_since = models.DateTimeField(null=True, blank=True, help_text="when no version was seen to name it any more")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.digest[:12]}"


class SourceArchive(models.Model):
    """Uploaded source: one Python file, or a zip. Kept here, because any worker on any host may have to build it."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    owner = models.ForeignKey("accounts.Name", on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content, hexadecimal")
    filename = models.CharField(max_length=200)
    size_bytes = models.PositiveIntegerField()
    content = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner", "digest"], name="source_once_per_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.filename} {self.digest[:12]}"


class DeploymentVersion(models.Model):
    """One build of a deployment: the locked environment and the command that starts it. Built once, then unchanged,
    but for what the first look at the running server adds (tools, server_info, era)."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    reference = models.CharField(max_length=400)
    registry_name = models.CharField(max_length=200, blank=True, db_index=True, help_text="the entry it was made from")
    registry_version = models.CharField(max_length=255, blank=True)
    resolved = models.CharField(max_length=400, blank=True, help_text='for example "mcp-server-time 2026.10.19"')
    environment = models.ForeignKey(
        Environment, null=True, blank=True, on_delete=models.PROTECT, related_name="versions"
    )
    source = models.ForeignKey(
        "SourceArchive", null=True, blank=True, on_delete=models.PROTECT, related_name="versions"
    )
    remote = models.JSONField(default=dict, blank=True, help_text="of a remote server: url, transport, headers")
    declared = models.JSONField(default=list, blank=True, help_text="inputs it asks for (hosting.configuration.inputs)")
    argv = models.JSONField(default=list, blank=True)
    env = models.JSONField(default=dict, blank=True)
    read_only = models.JSONField(default=list, blank=True, help_text="absolute paths bound into the sandbox")
    notices = models.JSONField(default=list, blank=True, help_text="sentences for its owner: how it was resolved …")
    as_of = models.DateField(null=True, blank=True, help_text="dependencies were resolved as of this day")
    missing = models.CharField(max_length=200, blank=True, help_text="the setting that its last failed start named")
    tools = models.JSONField(null=True, blank=True, help_text="the last tools/list; null until the server was asked")
    server_info = models.JSONField(default=dict, blank=True)
    era = models.CharField(max_length=10, blank=True)
    failure = models.TextField(blank=True, help_text="why the build failed")
    build_log = models.TextField(blank=True)
    queued_at = models.DateTimeField(default=clock.now)  # when its build or first look was last queued
    built_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("deployment", "-number")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["deployment", "number"], name="version_number_once"),
        ]

    def __str__(self) -> str:
        return f"version {self.number} of {self.deployment_id}"

    @property
    def is_ready(self) -> bool:
        """There is something to start or to connect to."""
        return bool(self.environment_id or self.remote)
