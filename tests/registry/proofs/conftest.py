"""The registry's API, and around it everybody whom it asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.registry.fakes.github import CLIENT_ID, FakeGitHub
from tests.registry.fakes.issuer import FakeIssuer
from tests.registry.fakes.peers import Peers, peers_for


@pytest.fixture
def peers(tmp_path: Path, settings: Any) -> Iterator[Peers]:
    with peers_for(tmp_path, settings) as made:
        yield made


@pytest.fixture
def github(peers: Peers, settings: Any) -> FakeGitHub:
    made = FakeGitHub()
    settings.REGISTRY_GITHUB_API, _ = peers.serve("api.github.test", made.answer)
    settings.REGISTRY_GITHUB_CLIENT_ID = CLIENT_ID
    return made


@pytest.fixture
def actions(peers: Peers, settings: Any) -> FakeIssuer:
    """GitHub's issuer for its Actions."""
    made = FakeIssuer("actions")
    made.url, _ = peers.serve("actions.github.test", made.answer)
    settings.REGISTRY_GITHUB_ISSUER = made.url
    return made


@pytest.fixture
def issuer(peers: Peers) -> FakeIssuer:
    """Somebody else's."""
    made = FakeIssuer()
    made.url, _ = peers.serve("ci.example.test", made.answer)
    return made
