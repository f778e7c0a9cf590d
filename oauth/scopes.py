"""The scopes of MCP endpoints and how they are written. Pure."""

from __future__ import annotations

from common.errors import BadInput

READ = "mcp:read"
CALL = "mcp:call"
ADMIN = "mcp:admin"

KNOWN = (READ, CALL, ADMIN)
DEFAULT = (READ, CALL)


def parse(text: str) -> tuple[str, ...]:
    """Reads "mcp:read mcp:call" (RFC 6749, 3.3), in the order of KNOWN. Raises BadInput."""
    asked = set(text.split())
    if unknown := sorted(asked - set(KNOWN)):
        raise BadInput(
            "scope_unknown", f"Unknown scope: {', '.join(unknown)}. There are {', '.join(KNOWN)}.", field="scope"
        )
    if not asked:
        raise BadInput("scope_missing", f"Name at least one scope of {', '.join(KNOWN)}.", field="scope")
    return tuple(scope for scope in KNOWN if scope in asked)
