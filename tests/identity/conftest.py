"""A provider that runs, and a site that may fetch its keys and sign people in with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from common.outbound import door
from config import sign_in
from tests.identity import idps
from tests.identity.idps import Idp
from tests.runner.egress.peers import certificate


@pytest.fixture(scope="module", params=sorted(idps.BY_NAME))
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Idp]:
    folder = tmp_path_factory.mktemp("idp")
    pem, authority = certificate(folder, "localhost", "127.0.0.1")
    trusted = folder / "trusted.pem"
    trusted.write_text(authority)
    with idps.running(request.param, pem, trusted) as found:
        yield found


@pytest.fixture
def idp(provider: Idp, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Idp]:
    settings.SLIPWAY_EGRESS_PRIVATE = ["127.0.0.0/8", "::1/128"]
    settings.SLIPWAY_EGRESS_PORTS = [provider.port]
    for name, value in {
        "SSL_CERT_FILE": str(provider.trusted),
        "REQUESTS_CA_BUNDLE": str(provider.trusted),
        "SLIPWAY_OPENID_URL": provider.issuer,
        "SLIPWAY_OPENID_CLIENT_ID": "slipway",
        "SLIPWAY_OPENID_CLIENT_SECRET": provider.settings.clients["slipway"][0],
        "SLIPWAY_OPENID_NAME": "Acme",
    }.items():
        monkeypatch.setenv(name, value)
    settings.SOCIALACCOUNT_PROVIDERS = sign_in.providers()
    cache.clear()
    door._trusting.cache_clear()
    yield provider
    door._trusting.cache_clear()
