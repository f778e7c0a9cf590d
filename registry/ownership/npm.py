"""npm: `mcpName` in the package.json of that very version."""

from __future__ import annotations

import re

import msgspec
from django.utils.translation import gettext

from registry.ownership.errors import OwnershipUnproven
from registry.ownership.package import Index, Package

_NAME = re.compile(r"(?:@[A-Za-z0-9~-][A-Za-z0-9._~-]*/)?[A-Za-z0-9~-][A-Za-z0-9._~-]*", re.ASCII)


class _Manifest(msgspec.Struct):
    name: str = ""
    version: str = ""
    mcpName: str = ""  # noqa: N815  npm's spelling


def check(package: Package, server: str, index: Index) -> None:
    """Raises OwnershipUnproven, OwnershipUnknown."""
    package.check_identifier(_NAME)
    name, version = package.quoted
    found = index.get_json(f"{package.base}/{name}/{version}", _Manifest, package.missing)
    # A dist-tag has an answer too, and may point elsewhere tomorrow
    if found.name != package.identifier or found.version != package.version:
        raise OwnershipUnproven(
            gettext("There is no %(package)s: the index answers with %(name)s %(version)s.")
            % {"package": package, "name": found.name, "version": found.version}
        )
    if not found.mcpName:
        raise OwnershipUnproven(
            gettext(
                'The %(package)s has no mcpName. Add "mcpName": "%(server)s" to its package.json, and publish a '
                "new version."
            )
            % {"package": package, "server": server}
        )
    if found.mcpName != server:
        raise OwnershipUnproven(
            gettext("The %(package)s belongs to %(name)s by its mcpName, not to %(server)s.")
            % {"package": package, "name": found.mcpName[:200], "server": server}
        )
