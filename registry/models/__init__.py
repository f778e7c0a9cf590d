"""What the registry keeps: servers by name, their versions, and the registries that it follows."""

from __future__ import annotations

from registry.models.servers import Server, ServerVersion, Status
from registry.models.upstreams import Upstream

__all__ = ["Server", "ServerVersion", "Status", "Upstream"]
