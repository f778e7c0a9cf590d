"""Real packages from the real indexes, hosted as anybody would: each starts and lists tools, or says what it needs.

Nothing is written for one of them in particular. `python -m tests.real_packages.table` writes docs/real-packages.md
from what the last run left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real_packages.outcomes import host, save
from tests.real_packages.packages import NAMED, OTHERS
from tests.stack import Stack

RESULTS = Path(__file__).parents[2] / ".slipway" / "real-packages"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("real"))
    stack.start()
    yield stack
    stack.stop()


@pytest.mark.parametrize("package", [*NAMED, *OTHERS])
def test_it_starts_or_says_what_it_needs(site: Stack, package: str) -> None:
    name = re.sub(r"[^a-z0-9]+", "-", package.lower()).strip("-")
    outcome = host(site, package, name)
    save(RESULTS, outcome)
    if package in OTHERS:
        assert outcome.resolved or outcome.words  # how many start is counted and published, not demanded
    else:
        assert outcome.tools or outcome.needs or "network" in outcome.words.lower(), outcome
