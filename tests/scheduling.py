"""Which files of tests run in the same process of `pytest -n`: those that share a site, so that it starts only once.

`--dist loadgroup` is made for this, but groups nothing with pytest 9.2 (pytest-xdist, issue 1386).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from xdist.scheduler import LoadScopeScheduling

# Fixtures of a session that start a whole site, and the files that use them. `check` keeps this true.
SITES = {
    "stack": r"tests/(api/test_site|conformance/test_authorization|e2e/test_story|pages/test_(?!authorization))",
    "local_site": r"tests/e2e/",
    "clients_site": r"tests/clients/",
    "task_site": r"tests/tasks/",
    "walk_site": r"tests/pages/walks/",
}


class SiteScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """By file, but all files of a site together."""

    def _split_scope(self, nodeid: str) -> str:
        return site_of(nodeid) or file_of(nodeid)


def site_of(nodeid: str) -> str | None:
    return next((site for site, files in SITES.items() if re.match(files, nodeid)), None)


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def check(items: Iterable[pytest.Item]) -> None:
    """Raises UsageError for a file that uses a site without standing in `SITES`."""
    for item in items:
        for site in SITES.keys() & set(getattr(item, "fixturenames", ())):
            if site_of(item.nodeid) != site:
                raise pytest.UsageError(f"{file_of(item.nodeid)} uses {site}: name it in tests/scheduling.py.")


def longest_first(item: pytest.Item) -> tuple[bool, bool]:
    """A key to sort by: what shares a site, what starts one of its own, everything else."""
    return (site_of(item.nodeid) is None, not hasattr(getattr(item, "module", None), "Stack"))
