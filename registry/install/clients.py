"""What the page shows for each client, for one way to run a server. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from registry.install import files, links, shell
from registry.install.ways import Way


@dataclass(frozen=True)
class Client:
    """`command` is for a shell, `text` for the file `file`, `link` for one click; each may be empty."""

    key: str
    label: str
    link: str = ""
    command: str = ""
    file: str = ""
    text: str = ""


def clients(way: Way, name: str) -> list[Client]:
    """Empty when there is nothing to run or connect to. `name` as `ways.server_name` makes it."""
    if way.refusal or way.kind == "mcpb" or not (way.command or way.is_remote):
        return []
    return [
        Client("vscode", "VS Code", links.vscode(way, name), "", ".vscode/mcp.json", files.vscode(way, name)),
        Client("cursor", "Cursor", links.cursor(way, name), "", "~/.cursor/mcp.json", files.cursor(way, name)),
        Client("claude-code", "Claude Code", "", shell.claude_code(way, name)),
        Client("codex", "Codex", "", shell.codex(way, name), "~/.codex/config.toml", files.codex(way, name)),
        Client("mcp-json", ".mcp.json", "", "", ".mcp.json", files.mcp_json(way, name)),
        Client("json", "JSON", "", "", "", files.plain(way, name)),
    ]
