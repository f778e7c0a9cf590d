"""The protected resource metadata of each endpoint (RFC 9728), at the path form of the well-known URL only. Pure.

It is the same for every well-formed name, so it tells nobody which deployments exist; there is none at the root, since
the site itself is no MCP server.
"""

from __future__ import annotations

import re
from typing import Final

from mcp_endpoint.admission.auth import CALL, READ
from mcp_endpoint.wire import jsonrpc as j

PREFIX: Final = "/mcp/"
WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"

_PATH = re.compile(r"/mcp/([A-Za-z0-9][A-Za-z0-9._-]{0,99})/([A-Za-z0-9][A-Za-z0-9._-]{0,99})\Z")


def parse_path(path: str) -> tuple[str, str] | None:
    """(owner, name) of an endpoint's path, folded; None when it is none."""
    found = _PATH.match(path)
    return (found.group(1).lower(), found.group(2).lower()) if found is not None else None


def metadata_url(site_url: str, path: str) -> str:
    return f"{site_url}{WELL_KNOWN}{path}"


def document(site_url: str, path: str) -> bytes:
    """The metadata of the endpoint at `path`."""
    return j.encode(
        {
            "resource": f"{site_url}{path}",
            "authorization_servers": [site_url],
            "scopes_supported": [READ, CALL],
            "bearer_methods_supported": ["header"],
            "resource_name": path.removeprefix(PREFIX),
        }
    )
