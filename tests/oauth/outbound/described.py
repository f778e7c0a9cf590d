"""A server elsewhere and its issuer, as they describe themselves."""

from __future__ import annotations

from typing import Any

URL = "https://far.example/team/mcp"
ISSUER = "https://login.example/tenant"


def said(**changed: Any) -> dict[str, Any]:
    return {
        "issuer": ISSUER,
        "authorization_endpoint": "https://login.example/authorize",
        "token_endpoint": "https://login.example/token",
        "code_challenge_methods_supported": ["S256"],
        **changed,
    }
