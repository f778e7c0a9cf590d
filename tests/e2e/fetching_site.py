"""A whole site that may fetch documents and keys from a host on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.conftest import LEGACY
from tests.oauth.peers import WebHost
from tests.packages.local_index import LocalIndex
from tests.stack import Stack


@contextmanager
def site_that_fetches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, WebHost]]:
    folder = tmp_path_factory.mktemp("oauth")
    with LocalIndex() as index, WebHost(folder) as web:
        trusted = folder / "trusted.pem"
        trusted.write_text(web.authority)
        index.add_wheel(
            "slipway-test-legacy",
            "1.0",
            {"slipway_test_legacy.py": LEGACY.read_text()},
            scripts={"slipway-test-legacy": "slipway_test_legacy:main"},
        )
        site = Stack(
            tmp_path_factory.mktemp("oauth-site"),
            UV_INDEX=f"{index.url}/simple",
            WEB_PROCESSES="2",
            SLIPWAY_EGRESS_PRIVATE="127.0.0.0/8,::1/128",
            SLIPWAY_EGRESS_PORTS=str(web.port),
            SSL_CERT_FILE=str(trusted),
        )
        try:
            yield site.start(), web
        finally:
            site.stop()
