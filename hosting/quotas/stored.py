"""What an owner takes up of the store."""

from __future__ import annotations

from django.db.models import Sum

from accounts.models import Name
from hosting.models import DeploymentVersion, Environment, SourceArchive


def store_bytes_of(owner: Name) -> int:
    """What an owner takes up: environments that versions use, each once though others may share it, and uploads."""
    used = DeploymentVersion.objects.filter(deployment__owner=owner).values("environment_id")
    environments = Environment.objects.filter(pk__in=used, state=Environment.Status.READY)
    installed = environments.aggregate(total=Sum("size_bytes"))["total"]
    uploaded = SourceArchive.objects.filter(owner=owner).aggregate(total=Sum("size_bytes"))["total"]
    return (installed or 0) + (uploaded or 0)
