"""How a package says that it wants to be told to speak MCP on its standard streams. Pure."""

from __future__ import annotations

import re

_ARGUMENT = re.compile(r"(?<![\w-])(--stdio|(?:--(?:mcp-)?transport|--mode|-t)(?:[ =]|\",\s*\")stdio)(?![\w-])")


def stdio_argument(text: str) -> str:
    """The argument as a command line has it, "--stdio" or "--transport stdio"; "" where none is mentioned."""
    found = _ARGUMENT.search(text)
    return re.sub(r"\",\s*\"", " ", found[1]) if found else ""
