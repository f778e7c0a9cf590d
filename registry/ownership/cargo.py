"""crates.io: the marker in the visible text of that version's README, which it keeps rendered and without comments."""

from __future__ import annotations

import re

from django.utils.translation import gettext

from registry.ownership.errors import OwnershipUnproven
from registry.ownership.markers import is_named, visible_text
from registry.ownership.package import Index, Package, text_of, unmarked

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)


def check(package: Package, server: str, index: Index) -> None:
    """Raises OwnershipUnproven, OwnershipUnknown."""
    package.check_identifier(_NAME)
    name, version = package.quoted
    answer = index.get(f"{package.base}/api/v1/crates/{name}/{version}/readme", headers={"Accept": "text/html"})
    if answer.status != 200:
        raise OwnershipUnproven(
            gettext("There is no %(package)s, or it has no README (status %(status)s).")
            % {"package": package, "status": answer.status}
        )
    if not is_named(visible_text(text_of(answer)), server):
        raise unmarked(package, server, gettext("README, as text that readers see"))
