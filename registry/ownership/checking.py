"""Asks for every package of a document whether it belongs to the server that the document names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext

from common.outbound import Door, site_door
from registry.ownership import cargo, mcpb, npm, nuget, oci, oci_reference, pypi
from registry.ownership.errors import OwnershipUnproven
from registry.ownership.package import SECONDS, Index, Package
from registry.server_json import package_rules
from registry.server_json.package_rules import Indexes

MAX_PACKAGES: Final = 50  # of one document: each makes this site ask another one
_CHECKS: Final[Mapping[str, Callable[[Package, str, Index], None]]] = {
    "npm": npm.check,
    "pypi": pypi.check,
    "nuget": nuget.check,
    "cargo": cargo.check,
    "oci": oci.check,
    "mcpb": mcpb.check,
}
_OWNER = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?"
_PROJECT = r"[\w.-]+(?:/[\w.-]+)+"


def check_packages(document: Mapping[str, Any]) -> None:
    """Of a valid document. Blocks, for some seconds a package. Raises OwnershipUnproven, OwnershipUnknown."""
    packages = document.get("packages") or ()
    if not settings.REGISTRY_CHECK_OWNERSHIP or not packages:
        return
    if len(packages) > MAX_PACKAGES:
        raise OwnershipUnproven(
            gettext("A document with more than %(most)s packages can't be checked.") % {"most": MAX_PACKAGES}
        )
    allowed, door = indexes(), site_door()
    for number, each in enumerate(packages):
        path = f"packages[{number}]"
        for issue in package_rules.check_package(each, path, allowed):
            raise OwnershipUnproven(f"{issue.path}: {issue.message}.")
        try:
            check_package(package_of(each), document["name"], door)
        except OwnershipUnproven as error:
            raise OwnershipUnproven(f"{path}: {error.message}") from error


def check_package(package: Package, server: str, door: Door) -> None:
    """Raises OwnershipUnproven, OwnershipUnknown."""
    seconds = oci.SECONDS if package.kind == "oci" else SECONDS
    _CHECKS[package.kind](package, server, Index(door, seconds))


def package_of(each: Mapping[str, Any]) -> Package:
    kind = each["registryType"]
    return Package(kind, each["identifier"], each.get("version") or "", settings.REGISTRY_PACKAGE_URLS.get(kind, ""))


def indexes() -> Indexes:
    """What the operator's settings allow a document to name."""
    hosts = [host for host in settings.REGISTRY_OCI_HOSTS if not host.startswith("*.")]
    if oci_reference.DOCKER_HUB in hosts:
        hosts += oci_reference.DOCKER_HUB_TOO
    return Indexes(
        bases=settings.REGISTRY_PACKAGE_URLS,
        oci_hosts=tuple(hosts),
        oci_domains=tuple(host[1:] for host in settings.REGISTRY_OCI_HOSTS if host.startswith("*.")),
        mcpb_urls=tuple(_releases(settings.REGISTRY_GITHUB_HOSTS, settings.REGISTRY_GITLAB_HOSTS)),
    )


def _releases(github: list[str], gitlab: list[str]) -> list[re.Pattern[str]]:
    """Addresses of files that only who may write to a project can put there."""
    found = []
    if github:
        found.append(rf"https://(?:{_any_of(github)})/{_OWNER}/[\w.-]+/releases/download/[^/?#]+/[^/?#]+")
    if gitlab:
        hosts = _any_of(gitlab)
        found.append(rf"https://(?:{hosts})/{_PROJECT}/-/releases/[^/?#]+/downloads/[^?#]+")
        found.append(rf"https://(?:{hosts})/{_PROJECT}/-/package_files/[0-9]+/download")
        found.append(rf"https://(?:{hosts})/api/v4/projects/[^/?#]+/packages/generic/[^?#]+")
    return [re.compile(pattern, re.ASCII) for pattern in found]


def _any_of(hosts: list[str]) -> str:
    return "|".join(map(re.escape, hosts))
