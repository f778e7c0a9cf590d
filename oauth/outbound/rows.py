"""What the row of an account elsewhere holds: its secrets, which open in their own row only, and the site it is at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from oauth.models import Connection, ConnectionAttempt, Revocation
from oauth.outbound import vault
from oauth.outbound.discovery import Server

Row = Connection | ConnectionAttempt | Revocation

SHARED: Final = (
    "subject_id", "user_id", "name", "provider_id", "server_url", "issuer", "server",
    "client_id", "client_method", "client_source",
)  # fmt: skip


def shared_of(row: Row) -> dict[str, Any]:
    """What goes over from an attempt to what came of it, and from that to its revocation."""
    return {name: getattr(row, name) for name in SHARED}


def secrets_of(row: Row) -> dict[str, str]:
    """`secret`, `access` and `refresh`, "" for none; of an attempt `secret` and `verifier`. Raises Conflict
    (connection_sealed)."""
    return vault.unseal(row.sealed, bound_to=_bound(row))


def sealed_for(row: Row, values: Mapping[str, str]) -> bytes:
    return vault.seal(values, bound_to=_bound(row))


def server_of(row: Row) -> Server:
    return msgspec.convert(row.server, Server)


def _bound(row: Row) -> list[str]:
    """The same for an account and for its revocation, which takes over what is sealed as it is."""
    kind = ConnectionAttempt if isinstance(row, ConnectionAttempt) else Connection
    place = [kind.__name__, str(row.subject_id), str(row.user_id), row.server_url, row.issuer, row.client_id]
    return [*place, row.name] if row.name else place


def state_of(row: Connection) -> dict[str, Any]:
    """For the audit log: what it is, and no secret."""
    return {"issuer": row.issuer, "server_url": row.server_url, "scopes": row.scopes, "client": row.client_source}
