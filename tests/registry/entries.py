"""Servers in the tests' own database, indexed as publishing would."""

from __future__ import annotations

from typing import Any

import msgspec

from registry.changes import servers_changed
from registry.models import Server, ServerVersion
from tests.registry.site import document


def publish(name: str, version: str = "1.0.0", *, is_local: bool = False, row: Any = None, **members: Any) -> Server:
    """The latest version, whatever was published before. `row` are columns of it."""
    server, _ = Server.objects.get_or_create(name=name, defaults={"folded": name.lower(), "is_local": is_local})
    ServerVersion.objects.filter(server=server).update(is_latest=False)
    text = msgspec.json.encode(document(name, version, **members)).decode()
    ServerVersion.objects.create(
        **{"server": server, "name": name, "version": version, "document": text, "is_latest": True, **(row or {})}
    )
    servers_changed([server.pk])
    return server


def npm(identifier: str, version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {
        "registryType": "npm",
        "identifier": identifier,
        "version": version,
        "transport": {"type": "stdio"},
        **more,
    }


def pypi(identifier: str, version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {**npm(identifier, version, **more), "registryType": "pypi"}


def remote(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "streamable-http", "url": url, **more}
