"""The two packages of the first story, from the real indexes: built, started directly, asked to initialize."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from hosting import environments
from hosting.environments import BuildFailed, Built
from hosting.kinds import parse


def initialize(built: Built) -> dict[str, object]:
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    ran = subprocess.run(
        built.argv, env=built.env, cwd="/", input=json.dumps(request) + "\n", capture_output=True, text=True, timeout=60
    )
    answer: dict[str, object] = json.loads(ran.stdout.splitlines()[0])
    return answer


def build(reference: str, store: Path) -> Built:
    return environments.build(parse(reference), store, lambda text, part: None)


def test_python_server_answers(store: Path) -> None:
    built = build("pypi:mcp-server-time", store)
    assert built.resolved.startswith("mcp-server-time ")
    assert "result" in initialize(built)


@pytest.mark.skipif(not shutil.which("npm"), reason="needs Node.js")
def test_node_server_answers(store: Path) -> None:
    built = build("npm:@modelcontextprotocol/server-everything", store)
    assert "result" in initialize(built)


def test_library_from_pypi_has_nothing_to_start(store: Path) -> None:
    with pytest.raises(BuildFailed, match="The package six .* has no command to start"):
        build("pypi:six", store)
