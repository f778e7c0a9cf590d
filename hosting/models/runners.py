"""Runner processes, what is placed on them, and what they were seen to run."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from common import clock, ids
from hosting.models.deployments import Deployment
from hosting.models.versions import DeploymentVersion


class Runner(models.Model):
    """A runner process that has announced itself, and when it last answered."""

    class Status(models.TextChoices):
        LIVE = "live", gettext_lazy("Live")
        DEAD = "dead", gettext_lazy("Not answering")

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    name = models.CharField(max_length=50, unique=True)
    address = models.CharField(max_length=200, help_text="unix:/path or tls:host:port")
    boot = models.CharField(max_length=50, blank=True)
    state = models.CharField(max_length=10, choices=Status.choices, default=Status.LIVE)
    draining = models.BooleanField(default=False)
    memory_bytes = models.BigIntegerField(default=0, help_text="used by its instances when last seen")
    memory_limit_bytes = models.BigIntegerField(default=0, help_text="what its instances may use; 0: unknown")
    egress_taken = models.CharField(
        max_length=80, blank=True, help_text='"BOOT:NUMBER" of the last batch of egress counts that was written down'
    )
    instances_seen = models.PositiveIntegerField(default=0)
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
    epoch = models.PositiveBigIntegerField(default=0, help_text="where: grows with every move")
    generation = models.PositiveBigIntegerField(default=0, help_text="what: grows with every version and setting")
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


class DataFolder(models.Model):
    """A folder that outlives the instances of one isolation key. It lies on one runner, which the placement follows."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="data_folders")
    key = models.CharField(max_length=64, help_text="digest of the isolation key; names the folder")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    runner = models.ForeignKey(Runner, on_delete=models.PROTECT, related_name="data_folders")
    size_bytes = models.BigIntegerField(default=0)
    used_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["deployment", "key"], name="data_folder_once"),
        ]

    def __str__(self) -> str:
        return f"data of {self.deployment_id} ({self.key[:8]})"
