"""One-click links. Pure. A link is opened, logged and shared, so a secret is never in one: the client asks for it.

VS Code: `vscode:mcp/install?` and a JSON object, percent-encoded. Cursor: a deep link with base64 JSON, percent-encoded
after that. Whoever shows a link that runs code shows the command beside it, and says so (SEP-1024).
"""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from registry.install.files import entry_for_cursor, entry_for_link, vscode_inputs
from registry.install.ways import Way


def vscode(way: Way, name: str, *, insiders: bool = False) -> str:
    inputs = vscode_inputs(way)
    given = {"name": name, **entry_for_link(way), **({"inputs": inputs} if inputs else {})}
    scheme = "vscode-insiders" if insiders else "vscode"
    return f"{scheme}:mcp/install?{quote(json.dumps(given, separators=(',', ':')), safe='')}"


def cursor(way: Way, name: str) -> str:
    given = json.dumps(entry_for_cursor(way), separators=(",", ":")).encode()
    config = quote(base64.b64encode(given).decode(), safe="")
    return f"cursor://anysphere.cursor-deeplink/mcp/install?name={quote(name, safe='')}&config={config}"
