"""Indexes of packages on this machine, where the settings say that they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.ownership.checking import check_packages
from tests.registry.fakes.images import FakeImages
from tests.registry.fakes.indexes import FakeCrates, FakeNpm, FakeNuGet, FakePyPI
from tests.registry.fakes.peers import Peers, peers_for

SERVER = "org.example/weather"


@pytest.fixture
def peers(tmp_path: Path, settings: Any) -> Iterator[Peers]:
    settings.REGISTRY_CHECK_OWNERSHIP = True
    with peers_for(tmp_path, settings) as made:
        yield made


@pytest.fixture
def urls(settings: Any) -> dict[str, str]:
    """Where the operator says that packages are; a test's own copy."""
    settings.REGISTRY_PACKAGE_URLS = dict(settings.REGISTRY_PACKAGE_URLS)
    found: dict[str, str] = settings.REGISTRY_PACKAGE_URLS
    return found


@pytest.fixture
def npm(peers: Peers, urls: dict[str, str]) -> FakeNpm:
    made = FakeNpm()
    urls["npm"], _ = peers.serve("npm.test", made.answer)
    return made


@pytest.fixture
def pypi(peers: Peers, urls: dict[str, str]) -> FakePyPI:
    made = FakePyPI()
    urls["pypi"], _ = peers.serve("pypi.test", made.answer)
    return made


@pytest.fixture
def nuget(peers: Peers, urls: dict[str, str]) -> FakeNuGet:
    made = FakeNuGet()
    made.url, _ = peers.serve("nuget.test", made.answer)
    urls["nuget"] = f"{made.url}/v3/index.json"
    return made


@pytest.fixture
def crates(peers: Peers, urls: dict[str, str]) -> FakeCrates:
    made = FakeCrates()
    made.url, _ = peers.serve("crates.test", made.answer)
    urls["cargo"] = made.url
    return made


@pytest.fixture
def images(peers: Peers, settings: Any) -> FakeImages:
    made = FakeImages()
    made.url, _ = peers.serve("images.test", made.answer)
    settings.REGISTRY_OCI_HOSTS = [made.url.removeprefix("https://")]
    return made


def check(kind: str, identifier: str, version: str | None = None, **more: Any) -> None:
    """As publishing does for one package."""
    package = {"registryType": kind, "identifier": identifier, "transport": {"type": "stdio"}, **more}
    if version is not None:
        package["version"] = version
    check_packages({"name": SERVER, "packages": [package]})
