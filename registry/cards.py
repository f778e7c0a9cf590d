"""Server cards and the catalog that lists them: what clients read before they connect. Pure.

Sources: SEP-2127 and docs/discovery.md of experimental-ext-server-card (of 24 July 2026). A card is the part of a
server.json that says who a server is and where it runs; packages are not in it, nor are tools.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

SCHEMA: Final = "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json"
MEDIA_TYPE: Final = "application/mcp-server-card+json"
CATALOG_MEDIA_TYPE: Final = "application/ai-catalog+json"
CATALOG_VERSION: Final = "1.0"
MAX_TEXT: Final = 100  # of title and description
_NAME = re.compile(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", re.ASCII)
_URL = re.compile(r"(?:https?://[^\s]+|\{[a-zA-Z_][a-zA-Z0-9_]*\}[^\s]*)")


def card(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """None where a card could not say it: a name or description that the schema refuses, as imports may have."""
    name, version = _text(document, "name"), _text(document, "version")
    description = _text(document, "description").strip()[:MAX_TEXT]
    if not _NAME.fullmatch(name) or len(name) > 200 or not version or not description:
        return None
    made: dict[str, Any] = {"$schema": SCHEMA, "name": name, "version": version, "description": description}
    if title := _text(document, "title").strip():
        made["title"] = title[:MAX_TEXT]
    if website := _text(document, "websiteUrl"):
        made["websiteUrl"] = website
    repository = document.get("repository")
    if isinstance(repository, Mapping) and _text(repository, "url") and _text(repository, "source"):
        made["repository"] = {
            key: _text(repository, key) for key in ("url", "source", "subfolder", "id") if _text(repository, key)
        }
    for member in ("icons", "remotes"):
        found = document.get(member)
        if isinstance(found, list) and found:
            made[member] = [one for one in found if isinstance(one, Mapping) and (member == "icons" or _is_remote(one))]
    return made


def catalog(cards: Mapping[str, str]) -> dict[str, Any]:
    """`cards` are addresses by the servers' names."""
    entries = [{"identifier": identifier(name), "type": MEDIA_TYPE, "url": url} for name, url in cards.items()]
    return {"specVersion": CATALOG_VERSION, "entries": entries}


def identifier(name: str) -> str:
    """`com.example/weather` → `urn:air:example.com:mcp:weather`."""
    namespace, _, part = name.partition("/")
    return f"urn:air:{'.'.join(reversed(namespace.split('.')))}:mcp:{part}"


def _is_remote(one: Mapping[str, Any]) -> bool:
    return one.get("type") in ("streamable-http", "sse") and _URL.fullmatch(_text(one, "url")) is not None


def _text(holder: Mapping[str, Any], name: str) -> str:
    found = holder.get(name)
    return found if isinstance(found, str) else ""
