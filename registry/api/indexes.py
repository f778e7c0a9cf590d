"""The packages' indexes that this site's operator allows, for /validate."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from registry.server_json.package_rules import DOCKER, Indexes, release_patterns


def indexes() -> Indexes | None:
    """None where packages aren't checked."""
    return _indexes() if settings.REGISTRY_CHECK_OWNERSHIP else None


@lru_cache(maxsize=1)
def _indexes() -> Indexes:
    hosts: list[str] = settings.REGISTRY_OCI_HOSTS
    exact = [host for host in hosts if not host.startswith("*.")]
    return Indexes(
        bases=settings.REGISTRY_PACKAGE_URLS,
        oci_hosts=(*exact, *(DOCKER if "docker.io" in exact else ())),
        oci_domains=tuple(host[1:] for host in hosts if host.startswith("*.")),
        mcpb_urls=release_patterns(settings.REGISTRY_GITHUB_HOSTS, settings.REGISTRY_GITLAB_HOSTS),
    )
