"""Who called what, what it used, and how much of everything an owner may use."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy

from common import clock
from hosting.models.deployments import Deployment


class CallRecord(models.Model):
    """One request at an endpoint, for its owner: who, what, how long, how large. Never bodies.

    The busiest table: a row costs what its indexes and constraints cost. So PostgreSQL checks no reference (a row that
    names what was deleted meanwhile is read as "gone", and ages out), and what only the daily purge asks for has a
    block-range index, since rows come in the order of their time.
    """

    class Status(models.TextChoices):
        OK = "ok", gettext_lazy("OK")
        TOOL_ERROR = "tool_error", gettext_lazy("Tool error")
        ERROR = "error", gettext_lazy("Error")
        REFUSED = "refused", gettext_lazy("Refused")
        CANCELLED = "cancelled", gettext_lazy("Cancelled")
        LEFT = "left", gettext_lazy("Client left")

    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, related_name="calls", db_constraint=False, db_index=False
    )
    version = models.ForeignKey(
        "DeploymentVersion",
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    at = models.DateTimeField(default=clock.now, help_text="when it came")
    method = models.CharField(max_length=64)
    tool = models.CharField(max_length=256, blank=True, help_text="tool, prompt or resource")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    client = models.CharField(max_length=200, blank=True, help_text="the OAuth client, or the anonymous session")
    era = models.CharField(max_length=10, blank=True)
    microseconds = models.BigIntegerField(default=0)
    bytes_in = models.BigIntegerField(default=0)
    bytes_out = models.BigIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OK)
    was_cold = models.BooleanField(default=False, help_text="it waited for a start")

    class Meta:
        ordering = ("-at", "-id")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["deployment", "-at"], name="call_by_deployment"),
            BrinIndex(fields=["at"], name="call_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.tool} {self.status}"


class EgressRecord(models.Model):
    """Connections that a deployment's instances made to one host on one day."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="egress_records")
    day = models.DateField()
    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField()
    connections = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    octets = models.PositiveBigIntegerField(default=0, help_text="both ways")
    seen_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["deployment", "day", "host", "port"], name="egress_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.host}:{self.port} on {self.day}"


class UsageDay(models.Model):
    """What an owner used on one day, against the quota of a month."""

    owner = models.ForeignKey("accounts.Name", on_delete=models.PROTECT, related_name="usage")
    day = models.DateField()
    build_seconds = models.FloatField(default=0)
    egress_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner", "day"], name="usage_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.owner} on {self.day}"


class Quota(models.Model):
    """How much an owner may use where it differs from the site's defaults. Null: the default; 0: nothing."""

    owner = models.OneToOneField("accounts.Name", primary_key=True, on_delete=models.PROTECT, related_name="quota")
    deployments = models.PositiveIntegerField(null=True, blank=True)
    awake_instances = models.PositiveIntegerField(null=True, blank=True)
    memory_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    build_minutes = models.PositiveIntegerField(null=True, blank=True, help_text="a month")
    store_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    egress_bytes = models.PositiveBigIntegerField(null=True, blank=True, help_text="a month")

    def __str__(self) -> str:
        return f"quota of {self.owner}"


class OwnerShare(models.Model):
    """What one runner may have awake of an owner's. All rows of an owner together are the quota at most."""

    owner = models.ForeignKey("accounts.Name", on_delete=models.CASCADE, related_name="shares")
    runner = models.ForeignKey("Runner", on_delete=models.CASCADE, related_name="shares")
    instances = models.PositiveIntegerField(default=0)
    memory_bytes = models.BigIntegerField(default=0)
    serial = models.BigIntegerField(help_text="grows with every change: of two messages it tells the later one")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner", "runner"], name="owner_share_once"),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} at {self.runner_id}: {self.instances}"
