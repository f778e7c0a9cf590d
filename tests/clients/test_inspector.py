"""Inspector's command line, in each of its protocol eras, against servers of each era."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients import packages
from tests.clients.conftest import CALLS, MODERN, Hosted, Outcome, Servers, run

ERAS = ["legacy", *(pytest.param(era, marks=pytest.mark.slow) for era in ("modern", "auto"))]
AUTH_REQUIRED = 3  # its exit codes
TOOL_NOT_FOUND = 5
BRIDGED = {("legacy", "modern"), ("modern", "legacy")}  # server and client: run always, the others with the slow tests

each_era = pytest.mark.parametrize("era", ERAS)


def inspect(home: Path, server: Hosted, era: str, method: str, *more: str) -> Outcome:
    """`home`: where it keeps its catalog and what it learned."""
    command = packages.inspector(
        "--cli", "--server-url", server.url, "--transport", "http", "--protocol-era", era, "--stored-auth-only",
        "--header", f"Authorization: Bearer {server.token}", "--format", "json", "--method", method, *more,
    )  # fmt: skip
    return run(command, HOME=str(home))


@pytest.mark.parametrize(
    ("server", "era"),
    [
        pytest.param(server, era, marks=() if (server, era) in BRIDGED else pytest.mark.slow)
        for server in CALLS
        for era in ("legacy", "modern", "auto")
    ],
)
def test_lists_and_calls(tmp_path: Path, hosted: Servers, era: str, server: str) -> None:
    tool, arguments, expected = CALLS[server]
    begun = inspect(tmp_path, hosted[server], era, "initialize")
    assert begun.code == 0, begun.errors
    assert begun.found["result"]["protocolVersion"] == ("2025-11-25" if era == "legacy" else MODERN)
    listed = inspect(tmp_path, hosted[server], era, "tools/list")
    assert tool in [found["name"] for found in listed.found["result"]["tools"]]
    called = inspect(tmp_path, hosted[server], era, "tools/call", "--tool-name", tool, "--tool-args-json", arguments)
    assert called.code == 0, called.errors
    assert called.found["result"]["content"][0]["text"] == expected


@pytest.mark.slow
@each_era
@pytest.mark.parametrize("server", ["legacy", "modern"])
def test_unknown_tool(tmp_path: Path, hosted: Servers, era: str, server: str) -> None:
    called = inspect(tmp_path, hosted[server], era, "tools/call", "--tool-name", "no-such-tool")
    assert called.code == TOOL_NOT_FOUND
    assert "no-such-tool" in called.errors


@each_era
def test_a_bad_token_needs_a_login(tmp_path: Path, hosted: Servers, era: str) -> None:
    listed = inspect(tmp_path, Hosted(hosted["legacy"].url, "bad"), era, "tools/list")
    assert listed.code == AUTH_REQUIRED
    assert "auth_required" in listed.errors
