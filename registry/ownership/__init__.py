"""Whose a package is: each kind of package says it in its own place, and is asked where the operator's settings say.

One module a kind, with `check(package, server, index)`. A document's own base URL must be the operator's, and images
and bundles must lie at hosts that the operator lists: nothing that a stranger writes chooses where this site connects.
"""

from __future__ import annotations

from registry.ownership.checking import check_packages
from registry.ownership.errors import OwnershipUnknown, OwnershipUnproven

__all__ = ["OwnershipUnknown", "OwnershipUnproven", "check_packages"]
