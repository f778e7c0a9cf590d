"""What a server is called when nobody says: as its package is, without the words that all of them have."""

from __future__ import annotations

import pytest

from hosting import names


@pytest.mark.parametrize(
    ("made_from", "name"),
    [
        ("pypi:mcp-server-time", "time"),
        ("pypi:mcp-server-time==2026.10.19", "time"),
        ("pypi:Weather_MCP[all]==1.0", "weather"),
        ("npm:@modelcontextprotocol/server-everything", "everything"),
        ("npm:@acme/billing@1.2.3", "billing"),
        ("npm:notes-mcp-server", "notes"),
        ("registry:org.example/weather@1.0.0", "weather"),
        ("io.github.lena/mcp-server", "server"),
        ("remote:https://mcp.example.org/mcp", "example"),
        ("remote:https://[::1", ""),
        ("greeter.py", "greeter"),
        ("My Tools.zip", "my-tools"),
        ("npm:-", ""),
        ("pypi:" + "x" * 90, "x" * 64),
    ],
)
def test_a_name_is_suggested(made_from: str, name: str) -> None:
    assert names.suggested(made_from) == name
    if name:
        assert names.parse(name).folded == name
