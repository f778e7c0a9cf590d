"""Everything that the registry asks about proofs and packages, on this machine; and the settings that let it.

Nothing is switched off for it: the site is told of a private network, its ports, a name server and an authority for
certificates, as an operator would tell it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common.outbound import door
from registry.proofs import issuers
from tests.registry.fakes.dns import FakeDns
from tests.registry.fakes.web import Answering, Authority, WebServer

NETWORK = "127.0.0.0/8"


class Peers:
    def __init__(self, folder: Path, settings: Any) -> None:
        self.dns = FakeDns()
        self.authority = Authority(folder)
        self.settings = settings
        self._servers: list[WebServer] = []
        settings.SLIPWAY_EGRESS_PRIVATE = [NETWORK]
        settings.SLIPWAY_EGRESS_PORTS = []
        settings.SLIPWAY_DNS_SERVERS = [self.dns.server]

    def serve(self, host: str, answering: Answering) -> tuple[str, WebServer]:
        """At https://host:port, as a service of the operator's network. The address and the server."""
        server = WebServer(answering, self.authority.context(host))
        self._servers.append(server)
        self.dns.put(host, "A", "127.0.0.1")
        self.settings.SLIPWAY_EGRESS_PORTS = [*self.settings.SLIPWAY_EGRESS_PORTS, server.port]
        return f"https://{host}:{server.port}", server

    def serve_here(self, host: str, answering: Answering) -> tuple[str, WebServer]:
        """For programs of the tests that ask no name server of ours: by address, under the name's certificate."""
        server = WebServer(answering, self.authority.context(host, "127.0.0.1"))
        self._servers.append(server)
        return f"https://127.0.0.1:{server.port}", server

    def serve_domain(self, domain: str, answering: Answering) -> WebServer:
        """At https://domain, with its own address and port 443. Raises PermissionError where only root may do so."""
        address = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"
        server = WebServer(answering, self.authority.context(domain), address, 443)
        self._servers.append(server)
        self.dns.put(domain, "A", address)
        return server

    def stop(self) -> None:
        for server in self._servers:
            server.stop()
        self.dns.stop()


@contextmanager
def peers_for(folder: Path, settings: Any) -> Iterator[Peers]:
    made = Peers(folder, settings)
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(made.authority.path)
    door._trusting.cache_clear()
    issuers.forget()
    try:
        yield made
    finally:
        if before is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = before
        door._trusting.cache_clear()
        issuers.forget()
        made.stop()
