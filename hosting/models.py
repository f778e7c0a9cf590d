"""What is wanted (Deployment and its versions) and what was seen (Instance), with where it is placed."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from common import clock, ids
from hosting.states import State


class Environment(models.Model):
    """A built, content-addressed environment in the store. Versions with equal contents share one."""

    class Status(models.TextChoices):
        BUILDING = "building", "Building"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    digest = models.CharField(max_length=128, unique=True)
    kind = models.CharField(max_length=20)
    path = models.CharField(max_length=500)
    lock = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=Status.choices, default=Status.READY)
    reason = models.TextField(blank=True)
    size_bytes = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.digest[:12]}"


class Deployment(models.Model):
    """What somebody wants hosted. `state` moves only through `services.deployment_move`."""

    class Access(models.TextChoices):
        PRIVATE = "private", "Private"
        PUBLIC = "public", "Public"

    class Wanted(models.TextChoices):
        RUNNING = "running", "Running"
        STOPPED = "stopped", "Stopped"

    class Isolation(models.TextChoices):
        SESSION = "session", "An instance for each session"
        PRINCIPAL = "principal", "An instance for each user and client"
        SHARED = "shared", "One instance for all"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    owner = models.ForeignKey("accounts.Name", on_delete=models.PROTECT, related_name="deployments")
    name = models.CharField(max_length=64)
    folded_name = models.CharField(max_length=64, editable=False)
    title = models.CharField(max_length=100, blank=True)
    reference = models.CharField(max_length=400)
    kind = models.CharField(max_length=20)
    access = models.CharField(max_length=10, choices=Access.choices, default=Access.PRIVATE)
    isolation = models.CharField(max_length=10, choices=Isolation.choices, default=Isolation.SESSION)
    limits = models.JSONField(
        default=dict, blank=True, help_text="fields of the runner's Limits; missing ones keep their default"
    )
    wanted = models.CharField(max_length=10, choices=Wanted.choices, default=Wanted.RUNNING)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.TextField(blank=True)
    current_version = models.ForeignKey(
        "DeploymentVersion", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    members: models.ManyToManyField[Any, DeploymentMember] = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="DeploymentMember", related_name="deployments_shared_with"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    changed_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("owner__folded", "folded_name")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner", "folded_name"], name="deployment_name_once_per_owner"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="deployment_state_known"),
            models.CheckConstraint(condition=Q(access__in=["private", "public"]), name="deployment_access_known"),
            models.CheckConstraint(condition=Q(wanted__in=["running", "stopped"]), name="deployment_wanted_known"),
            models.CheckConstraint(
                condition=Q(isolation__in=["session", "principal", "shared"]), name="deployment_isolation_known"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["state"], name="deployment_by_state")]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """ "owner/name" as shown; needs `owner` selected."""
        return f"{self.owner.display}/{self.name}"

    @property
    def tool_count(self) -> int | None:
        """None until the server was asked; needs `current_version` selected."""
        tools = self.current_version.tools if self.current_version else None
        return None if tools is None else len(tools)


class DeploymentMember(models.Model):
    """A person who may call and see somebody else's private deployment."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["deployment", "user"], name="deployment_member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} on {self.deployment_id}"


class DeploymentVersion(models.Model):
    """One build of a deployment: the locked environment and the command that starts it. Built once, then unchanged,
    but for what the first look at the running server adds (tools, server_info, era)."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    reference = models.CharField(max_length=400)
    resolved = models.CharField(max_length=400, blank=True, help_text='for example "mcp-server-time 2026.10.19"')
    environment = models.ForeignKey(
        Environment, null=True, blank=True, on_delete=models.PROTECT, related_name="versions"
    )
    argv = models.JSONField(default=list, blank=True)
    env = models.JSONField(default=dict, blank=True)
    read_only = models.JSONField(default=list, blank=True, help_text="absolute paths bound into the sandbox")
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


class Runner(models.Model):
    """A runner process that has announced itself, and when it last answered."""

    class Status(models.TextChoices):
        LIVE = "live", "Live"
        DEAD = "dead", "Not answering"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    name = models.CharField(max_length=50, unique=True)
    address = models.CharField(max_length=200, help_text="unix:/path or tls:host:port")
    boot = models.CharField(max_length=50, blank=True)
    state = models.CharField(max_length=10, choices=Status.choices, default=Status.LIVE)
    draining = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    last_seen_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(state__in=["live", "dead"]), name="runner_state_known"),
        ]

    def __str__(self) -> str:
        return self.name


class RunnerPlacement(models.Model):
    """Where a deployment is placed. The row stays when nothing is, so that its epoch only ever grows."""

    deployment = models.OneToOneField(Deployment, primary_key=True, on_delete=models.CASCADE, related_name="placement")
    runner = models.ForeignKey(Runner, null=True, blank=True, on_delete=models.SET_NULL, related_name="placements")
    epoch = models.PositiveBigIntegerField(default=0)
    placed_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.deployment_id} on {self.runner_id} since epoch {self.epoch}"


class Instance(models.Model):
    """A running copy as its runner last reported it; the reconciler is the only writer."""

    id = models.CharField(primary_key=True, max_length=64)
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="instances")
    version = models.ForeignKey(DeploymentVersion, null=True, on_delete=models.SET_NULL, related_name="instances")
    runner = models.ForeignKey(Runner, on_delete=models.CASCADE, related_name="instances")
    state = models.CharField(max_length=10)
    reason = models.TextField(blank=True)
    era = models.CharField(max_length=10, blank=True)
    revision = models.CharField(max_length=20, blank=True)
    pid = models.PositiveIntegerField(default=0)
    memory_bytes = models.BigIntegerField(default=0)
    calls = models.PositiveBigIntegerField(default=0)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("started_at",)

    def __str__(self) -> str:
        return f"{self.id}: {self.state}"
