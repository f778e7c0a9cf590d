"""The host of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.registry.fakes.peers import peers_for
from tests.registry.images.pictures import Host


@pytest.fixture
def host(tmp_path: Path, settings: Any) -> Iterator[Host]:
    with peers_for(tmp_path, settings) as peers:
        yield Host(peers)
