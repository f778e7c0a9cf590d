"""PyPI: the marker in the description (README) of that release."""

from __future__ import annotations

import re

import msgspec

from registry.ownership.markers import is_named
from registry.ownership.package import Index, Package, unmarked

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)


class _Info(msgspec.Struct):
    description: str | None = None


class _Release(msgspec.Struct):
    info: _Info


def check(package: Package, server: str, index: Index) -> None:
    """Raises OwnershipUnproven, OwnershipUnknown."""
    package.check_identifier(_NAME)
    name, version = package.quoted
    found = index.get_json(f"{package.base}/pypi/{name}/{version}/json", _Release, package.missing)
    if not is_named(found.info.description or "", server):
        raise unmarked(package, server, "README")
