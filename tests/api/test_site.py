"""The API of a whole site, by the commands of the README."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.stack import ROOT, Stack

SCRIPT = "# /// script\n# dependencies = []\n# ///\nprint('no server')\n"


def curl(command: str, folder: Path) -> tuple[int, Any]:
    """Status and JSON of one curl command."""
    command = command.replace("curl ", "curl -s -w '\\n%{http_code}' ", 1)
    ran = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    body, _, status = ran.stdout.rpartition("\n")
    return int(status), json.loads(body) if body else None


def test_commands_of_the_readme(stack: Stack, tmp_path: Path) -> None:
    stack.manage("host", "pypi:demo", "--owner", "ophelia", "--name", "first", "--no-wait")
    token = stack.manage("issue_token", "--user", "ophelia", "--api").stdout.strip()
    (tmp_path / "server.py").write_text(SCRIPT)
    section = (ROOT / "README.md").read_text().partition("## API")[2].partition("\n## ")[0]
    found = re.findall(r"^    (curl (?:.*\\\n)*.*)$", section, re.MULTILINE)
    listing, package, upload = [
        text.replace("$TOKEN", token).replace("http://127.0.0.1:8000", stack.url) for text in found
    ]
    status, body = curl(listing, tmp_path)
    assert (status, [row["name"] for row in body["items"]]) == (200, ["first"])
    status, body = curl(package, tmp_path)
    assert (status, body["reference"], body["mcp_url"]) == (
        201,
        "pypi:mcp-server-time",
        f"{stack.url}/mcp/ophelia/clock",
    )
    status, body = curl(upload, tmp_path)
    assert (status, body["kind"], body["name"]) == (201, "source", "mine")
    # What opens the API opens no endpoint.
    status, _ = curl(f"curl -H 'Authorization: Bearer {token}' -d '{{}}' {stack.url}/mcp/ophelia/clock", tmp_path)
    assert status == 401
    for name in ("first", "clock", "mine"):
        assert curl(f"{listing.replace('curl', 'curl -X DELETE')}/ophelia/{name}", tmp_path) == (204, None)
