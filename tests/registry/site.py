"""A running registry as tests see it, and rows that they put there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import httpx
import msgspec
import psycopg
from django.conf import settings

from registry.api.cache import CHANNEL, Cache
from registry.api.database import conninfo
from registry.models import Server, ServerVersion
from registry.permissions import Permission
from registry.proofs import keys, tokens
from registry.proofs.identity import Identity
from registry.search.indexing import servers_index

SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"


class Changes:
    """Told of the registry's changes as a site's cache is, on a connection of its own; so a test knows when the site
    has heard of what the test wrote. A site may answer of before for up to a second, which is no test's business but
    of those that are about it."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._marks: set[str] = set()
        self._told = 0
        self._connection = psycopg.connect(conninfo(), autocommit=True)
        self._connection.add_notify_handler(self._hear)
        self._connection.execute(f"LISTEN {CHANNEL}")
        self._before = cache.heard

    def _hear(self, notice: psycopg.Notify) -> None:
        if notice.payload:
            self._marks.add(notice.payload)
        else:
            self._told += 1

    def wait(self) -> None:
        """Until the site has heard of all that was committed before."""
        mark = token_hex(8)  # notices come in the order of commits: with this one all that were before it
        self._connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, mark))
        deadline = time.monotonic() + 60
        while mark not in self._marks or self._cache.heard - self._before < self._told:
            assert time.monotonic() < deadline, "the site does not hear of changes"
            self._connection.execute("SELECT 1")
        self._marks.discard(mark)

    def close(self) -> None:
        self._connection.close()


@dataclass
class Site:
    url: str
    changes: Changes
    client: httpx.Client | None = None

    def get(self, path: str, **more: Any) -> httpx.Response:
        """What it answers once it knows of all that was written."""
        self.changes.wait()
        return self.get_now(path, **more)

    def get_now(self, path: str, **more: Any) -> httpx.Response:
        assert self.client is not None
        return self.client.get(path, **more)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        assert self.client is not None
        if method in ("GET", "HEAD"):
            self.changes.wait()
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
