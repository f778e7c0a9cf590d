"""Bundles: a file of a release at GitHub or GitLab that can be had. Who may add a file there may name the server.

The official registry asks no more of a bundle, and so its namespace is all that vouches for it; its hash is for those
who download it.
"""

from __future__ import annotations

from django.utils.translation import gettext

from registry.ownership.errors import OwnershipUnproven
from registry.ownership.package import Index, Package


def check(package: Package, server: str, index: Index) -> None:
    """Raises OwnershipUnproven, OwnershipUnknown."""
    answer = index.get(package.identifier, method="HEAD")
    if answer.status != 200:
        raise OwnershipUnproven(
            gettext("The file %(identifier)s can't be downloaded (status %(status)s).")
            % {"identifier": package.identifier, "status": answer.status}
        )
