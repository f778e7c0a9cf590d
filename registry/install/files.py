"""Configuration files of clients, as JSON and TOML. Pure. Gaps are written as each client reads them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from registry.install.settings import Setting, Text
from registry.install.ways import Way

Fill = Callable[[Setting], str]


def mcp_json(way: Way, name: str) -> str:
    """A project's `.mcp.json`, as Claude Code reads it: `${NAME}` comes from the environment."""
    entry = _entry(way, _expanded, typed=True)
    return _pretty({"mcpServers": {name: entry}})


def cursor(way: Way, name: str) -> str:
    """`~/.cursor/mcp.json`."""
    return _pretty({"mcpServers": {name: _entry(way, lambda one: f"${{env:{one.variable}}}", typed=False)}})


def vscode(way: Way, name: str) -> str:
    """`.vscode/mcp.json`: asks for what is missing, and keeps secrets out of the file."""
    inputs = vscode_inputs(way)
    server = _entry(way, lambda one: f"${{input:{one.input_id}}}", typed=True)
    return _pretty({**({"inputs": inputs} if inputs else {}), "servers": {name: server}})


def plain(way: Way, name: str) -> str:
    """What most other clients read, with gaps to fill in by hand."""
    return _pretty({"mcpServers": {name: _entry(way, _shouted, typed=True)}})


def vscode_inputs(way: Way) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in way.settings:
        words = {"id": one.input_id, "description": (one.description or one.name)[:300]}
        if one.choices and not one.is_secret:
            found.append({"type": "pickString", **words, "options": list(one.choices)})
        else:
            found.append({"type": "promptString", **words, **({"password": True} if one.is_secret else {})})
    return found


def codex(way: Way, name: str) -> str:
    """`~/.codex/config.toml`. Headers that hold a secret are read from variables of the environment."""
    lines = [f"[mcp_servers.{name}]"]
    if way.is_remote:
        lines.append(f"url = {_toml(way.url.filled(_shouted))}")
        fixed = {key: text.filled(_shouted) for key, text in way.headers if text.is_fixed}
        asked = {key: text for key, text in way.headers if not text.is_fixed}
        if fixed:
            lines.append(f"http_headers = {_toml_table(fixed)}")
        if asked:
            lines.append(f"env_http_headers = {_toml_table({key: _variable(text) for key, text in asked.items()})}")
        return "\n".join(lines)
    command, *arguments = [text.filled(_shouted) for text in way.command]
    lines += [f"command = {_toml(command)}", f"args = [{', '.join(_toml(one) for one in arguments)}]"]
    if way.environment:
        lines.append(f"env = {_toml_table({key: text.filled(_shouted) for key, text in way.environment})}")
    return "\n".join(lines)


def _entry(way: Way, fill: Fill, *, typed: bool) -> dict[str, Any]:
    if way.is_remote:
        kind = {"type": "sse" if way.transport == "sse" else "http"} if typed else {}
        headers = {key: text.filled(fill) for key, text in way.headers}
        return {**kind, "url": way.url.filled(fill), **({"headers": headers} if headers else {})}
    command, *arguments = [text.filled(fill) for text in way.command]
    environment = {key: text.filled(fill) for key, text in way.environment}
    return {
        **({"type": "stdio"} if typed else {}),
        "command": command,
        "args": arguments,
        **({"env": environment} if environment else {}),
    }


def entry_for_link(way: Way) -> dict[str, Any]:
    """For VS Code's link: inputs of its own stand for everything that is asked."""
    return _entry(way, lambda one: f"${{input:{one.input_id}}}", typed=True)


def entry_for_cursor(way: Way) -> dict[str, Any]:
    return _entry(way, lambda one: f"${{env:{one.variable}}}", typed=False)


def _expanded(one: Setting) -> str:
    return f"${{{one.variable}}}"


def _shouted(one: Setting) -> str:
    return f"YOUR_{one.variable}"


def _variable(text: Text) -> str:
    return text.settings[0].variable


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a basic string of TOML takes the same escapes


def _toml_table(values: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{_toml(key)} = {_toml(value)}" for key, value in values.items()) + " }"


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
