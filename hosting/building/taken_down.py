"""Servers that were taken down from the registry: nothing is hosted from them."""

from __future__ import annotations

from common.errors import Forbidden
from hosting.models import Deployment, DeploymentVersion
from hosting.reasons import in_words
from registry.models import Server


def check(deployment: Deployment) -> None:
    """Raises Forbidden."""
    check_version(deployment.current_version)


def check_version(version: DeploymentVersion | None) -> None:
    """Raises Forbidden."""
    name = version.registry_name if version is not None else ""
    server = Server.objects.filter(name=name, taken_down_at__isnull=False).first() if name else None
    if server is not None:
        raise Forbidden("taken_down", in_words(words(server)))


def words(server: Server) -> str:
    return f"{server.name} was taken down from this site's registry: {server.taken_down_reason}"
