"""What the registry keeps: servers by name, their versions, who may publish, and the registries that it follows."""

from __future__ import annotations

from registry.models.images import StoredImage
from registry.models.moderation import HeldName, Report
from registry.models.proofs import BlockedNamespace, NamespaceGrant, NamespaceHolder, TrustedPublisher, UsedSignature
from registry.models.readmes import Readme
from registry.models.search import SearchEntry, SearchWord, SeenServer
from registry.models.servers import Server, ServerVersion
from registry.models.statuses import Status
from registry.models.upstreams import Upstream

__all__ = [
    "BlockedNamespace",
    "HeldName",
    "NamespaceGrant",
    "NamespaceHolder",
    "Readme",
    "Report",
    "SearchEntry",
    "SearchWord",
    "SeenServer",
    "Server",
    "ServerVersion",
    "Status",
    "StoredImage",
    "TrustedPublisher",
    "Upstream",
    "UsedSignature",
]
