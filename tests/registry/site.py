"""A running registry as tests see it, and rows that they put there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from django.conf import settings

from registry.models import Server, ServerVersion
from registry.permissions import Permission
from registry.proofs import keys, tokens
from registry.proofs.identity import Identity
from registry.search.indexing import servers_index

SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"


@dataclass
class Site:
    url: str
    client: httpx.Client | None = None

    def get(self, path: str, **more: Any) -> httpx.Response:
        assert self.client is not None
        return self.client.get(path, **more)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        assert self.client is not None
        return self.client.request(method, path, **more)

    def names(self, path: str) -> list[tuple[str, str]]:
        """Name and version of a list's entries, in order."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return [(one["server"]["name"], one["server"]["version"]) for one in answer.json()["servers"]]


def document(name: str, version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {"$schema": SCHEMA, "name": name, "description": "What it does", "version": version, **more}


def put(name: str, version: str = "1.0.0", *, is_latest: bool = True, **fields: Any) -> ServerVersion:
    """A row as it is, without the rules of publishing."""
    server, _ = Server.objects.get_or_create(name=name, defaults={"folded": name.lower()})
    if is_latest:
        ServerVersion.objects.filter(server=server).update(is_latest=False)
    text = msgspec.json.encode(document(name, version)).decode()
    made = ServerVersion.objects.create(
        **{"server": server, "name": name, "version": version, "document": text, "is_latest": is_latest, **fields}
    )
    servers_index([server.pk])
    return made


def token(*permissions: tuple[str, str], subject: str = "alice") -> str:
    """A registry token, as an exchange would have given it."""
    identity = Identity("github-at", subject, tuple(Permission(action, resource) for action, resource in permissions))  # type: ignore[arg-type]
    return tokens.mint(identity, key=keys.signing_key(), site=settings.SLIPWAY_URL, now=time.time()).value


def bearer(*permissions: tuple[str, str]) -> dict[str, str]:
    """The header of a request."""
    return {"Authorization": f"Bearer {token(*permissions)}"}
