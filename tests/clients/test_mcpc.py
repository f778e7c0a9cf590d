"""mcpc, a client for shells, which knows the handshake era: a background process holds each of its sessions."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import packages
from tests.clients.conftest import CALLS, EVERYTHING, Hosted, Outcome, Servers, run


class Mcpc:
    """One session named @it, in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *words: str) -> Outcome:
        return run(packages.mcpc("--json", *words), MCPC_HOME_DIR=str(self.home))

    def connect(self, server: Hosted) -> Outcome:
        header = f"Authorization: Bearer {server.token}"
        return self.run("connect", server.url, "@it", "--no-profile", "--header", header)

    def ask(self, *words: str) -> Any:
        outcome = self.run("@it", *words)
        assert outcome.code == 0, outcome.errors
        return outcome.found

    def bridge(self) -> int:
        """The process that holds the session."""
        return int(json.loads((self.home / "sessions.json").read_text())["sessions"]["@it"]["pid"])


@pytest.fixture
def mcpc() -> Iterator[Mcpc]:
    with tempfile.TemporaryDirectory(prefix="mcpc-") as folder:  # its sockets need a short path
        one = Mcpc(Path(folder))
        yield one
        one.run("close", "@it")


# It speaks one era only, and each of its commands takes half a second.
@pytest.mark.slow
@pytest.mark.parametrize("server", ["legacy", "modern", EVERYTHING])
def test_lists_and_calls(mcpc: Mcpc, hosted: Servers, server: str) -> None:
    tool, arguments, expected = CALLS[server]
    connected = mcpc.connect(hosted[server])
    assert connected.code == 0, connected.errors
    assert connected.found["protocolVersion"] == "2025-11-25"
    assert tool in [found["name"] for found in mcpc.ask("tools-list")]
    assert mcpc.ask("tools-call", tool, arguments)["content"][0]["text"] == expected
    refused = mcpc.run("@it", "tools-call", "no-such-tool")
    assert refused.code != 0
    assert "MCP error -32602: Unknown tool: There is no approved tool named no-such-tool" in refused.errors
    assert mcpc.ask("ping")["success"]


@pytest.mark.slow
def test_takes_up_its_session_again(mcpc: Mcpc, hosted: Servers) -> None:
    """Its next process goes on in the same session, and counts its requests from the start."""
    mcpc.connect(hosted["legacy"])
    mcpc.ask("tools-call", "slow", '{"seconds": 0.3}')
    os.kill(mcpc.bridge(), signal.SIGKILL)
    assert mcpc.ask("tools-call", "echo", '{"text": "again"}')["content"][0]["text"] == "again"
    assert mcpc.ask("tools-call", "count")["content"][0]["text"] == "1"


@pytest.mark.slow
def test_a_bad_token_lists_nothing(mcpc: Mcpc, hosted: Servers) -> None:
    """That it says no more than this is its own: 0.2.6 loses the reason when the answer comes at once."""
    mcpc.connect(Hosted(hosted["legacy"].url, "bad"))
    listed = mcpc.run("@it", "tools-list")
    assert listed.code != 0
    assert listed.output == ""
