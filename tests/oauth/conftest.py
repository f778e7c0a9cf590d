"""Alice, whose server it is, and a program that she uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from common.outbound import door
from hosting.models import Deployment
from tests.factories import make_deployment, make_user, owner_of
from tests.oauth.flow import Flow, make_client, resource_of
from tests.oauth.peers import WebHost


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    """Limits count in Valkey, which outlives a test."""
    cache.clear()


@pytest.fixture
def deployment(db: None) -> Deployment:
    return make_deployment(make_user())


@pytest.fixture
def flow(deployment: Deployment) -> Flow:
    return Flow(owner_of(deployment), make_client().client_id, resource_of(deployment))


@pytest.fixture
def web(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebHost]:
    """A host that the operator's networks let in, with a certificate that this machine trusts."""
    with WebHost(tmp_path) as host:
        trusted = tmp_path / "trusted.pem"
        trusted.write_text(host.authority)
        settings.SLIPWAY_EGRESS_PRIVATE = ["127.0.0.0/8", "::1/128"]
        settings.SLIPWAY_EGRESS_PORTS = [host.port]
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        door._trusting.cache_clear()
        yield host
    door._trusting.cache_clear()
