"""/health, /ping and /version: what clients ask a registry about itself. No database is asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import metadata

import msgspec
from django.conf import settings


def health() -> bytes:
    """mcp-publisher reads there which OAuth app to log in to GitHub with."""
    found = {"status": "ok"}
    if settings.REGISTRY_GITHUB_CLIENT_ID:
        found["github_client_id"] = settings.REGISTRY_GITHUB_CLIENT_ID
    return msgspec.json.encode(found)


def ping() -> bytes:
    return b'{"pong":true}'


@lru_cache(maxsize=1)
def version() -> bytes:
    return msgspec.json.encode({"version": _version(), "git_commit": "unknown", "build_time": "unknown"})


def _version() -> str:
    try:
        return metadata.version("slipway")
    except metadata.PackageNotFoundError:  # it runs from its sources
        return "0.1.0"


BODIES: dict[str, Callable[[], bytes]] = {"health": health, "ping": ping, "version": version}
