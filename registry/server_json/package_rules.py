"""What each kind of package needs besides the schema, as far as its document says it. Pure.

/validate tells these as issues; publishing tells them from the ownership checks, which also ask the packages' indexes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext

from registry.server_json.issues import Issue, error

REFERENCE = "package-ownership"
DOCKER = ("docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com")
_OCI_HOSTS = (*DOCKER, "ghcr.io", "quay.io", "mcr.microsoft.com")
_OCI_DOMAINS = (".pkg.dev", ".azurecr.io")
_AT_GITHUB = ("[^/]+/[^/]+/releases/download/[^/]+/[^/]+",)
_AT_GITLAB = (
    ".+/-/releases/[^/]+/downloads/.+",
    ".+/-/package_files/[0-9]+/download",
    "api/v4/projects/[^/]+/packages/generic/.+",
)


def release_patterns(github: Iterable[str], gitlab: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """Of files of releases at these hosts."""
    ways = [(host, way) for host in github for way in _AT_GITHUB]
    ways += [(host, way) for host in gitlab for way in _AT_GITLAB]
    return tuple(re.compile(f"https://{re.escape(host)}/{way}") for host, way in ways)


_RELEASES = release_patterns(("github.com", "www.github.com"), ("gitlab.com", "www.gitlab.com"))


@dataclass(frozen=True)
class Indexes:
    """The one base URL that a document may name for each kind, and where images may lie. Operators' settings."""

    bases: Mapping[str, str] = field(
        default_factory=lambda: {
            "npm": "https://registry.npmjs.org",
            "pypi": "https://pypi.org",
            "nuget": "https://api.nuget.org/v3/index.json",
            "cargo": "https://crates.io",
        }
    )
    oci_hosts: tuple[str, ...] = _OCI_HOSTS
    oci_domains: tuple[str, ...] = _OCI_DOMAINS
    mcpb_urls: tuple[re.Pattern[str], ...] = _RELEASES


def check(document: Mapping[str, Any], indexes: Indexes) -> list[Issue]:
    """Of a document that binds."""
    found: list[Issue] = []
    for number, package in enumerate(document.get("packages") or ()):
        found += check_package(package, f"packages[{number}]", indexes)
    return found


def check_package(package: Mapping[str, Any], path: str, indexes: Indexes) -> Iterator[Issue]:
    kind = package.get("registryType", "")
    if kind in indexes.bases:
        yield from _of_index(package, path, kind, indexes.bases[kind])
    elif kind == "oci":
        yield from _image(package, path, indexes)
    elif kind == "mcpb":
        yield from _bundle(package, path, indexes)
    else:
        kinds = ", ".join([*indexes.bases, "oci", "mcpb"])
        words = gettext("“%(kind)s” is no kind of package that can be checked: %(kinds)s")
        yield _issue(f"{path}.registryType", words % {"kind": str(kind)[:100], "kinds": kinds})


def _of_index(package: Mapping[str, Any], path: str, kind: str, base: str) -> Iterator[Issue]:
    named = (package.get("registryBaseUrl") or "").rstrip("/")
    if named and named != base.rstrip("/"):
        words = gettext("%(kind)s packages are looked up at %(address)s only")
        yield _issue(f"{path}.registryBaseUrl", words % {"kind": kind, "address": base})
    if not package.get("version"):
        yield _issue(f"{path}.version", gettext("A package of %(kind)s needs its version") % {"kind": kind})
    if package.get("fileSha256"):
        words = gettext("A package of %(kind)s has no fileSha256: that is for mcpb")
        yield _issue(f"{path}.fileSha256", words % {"kind": kind})


def _image(package: Mapping[str, Any], path: str, indexes: Indexes) -> Iterator[Issue]:
    for member in ("registryBaseUrl", "version", "fileSha256"):
        if package.get(member):
            words = gettext("An image has no %(member)s: its identifier says all, as in ghcr.io/owner/image:1.0.0")
            yield _issue(f"{path}.{member}", words % {"member": member})
    identifier = package.get("identifier", "")
    host = image_host(identifier)
    if host not in indexes.oci_hosts and not host.endswith(indexes.oci_domains):
        words = gettext("Images at %(host)s can't be checked")
        yield _issue(f"{path}.identifier", words % {"host": host[:200]})
    if "@" not in identifier and ":" not in identifier.rpartition("/")[2]:
        yield _issue(f"{path}.identifier", gettext("An image needs its tag or digest"))


def image_host(identifier: str) -> str:
    """Where an image lies. A first part without a dot or port is none: the image is Docker Hub's."""
    first, slash, _ = identifier.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first.lower()
    return "docker.io"


def _bundle(package: Mapping[str, Any], path: str, indexes: Indexes) -> Iterator[Issue]:
    if package.get("registryBaseUrl"):
        words = gettext("A bundle has no registryBaseUrl: its identifier is its address")
        yield _issue(f"{path}.registryBaseUrl", words)
    if not package.get("fileSha256"):
        yield _issue(f"{path}.fileSha256", gettext("A bundle needs the SHA-256 of its file"))
    url = package.get("identifier", "")
    try:
        is_https = urlsplit(url).scheme == "https"
    except ValueError:
        is_https = False
    if not is_https:
        yield _issue(f"{path}.identifier", gettext("A bundle's identifier is its https:// address"))
    elif not any(pattern.fullmatch(url) for pattern in indexes.mcpb_urls):
        yield _issue(f"{path}.identifier", gettext("A bundle is a file of a release on GitHub or GitLab"))
    elif "mcp" not in url.lower():
        yield _issue(f"{path}.identifier", gettext("A bundle's address has “mcp” in it"))


def _issue(path: str, message: str) -> Issue:
    return error(path, REFERENCE, message)
