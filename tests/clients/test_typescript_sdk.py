"""The TypeScript SDK's client: 1.x, and 2.x in its modes, against servers of each era."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients import packages
from tests.clients.conftest import CALLS, HERE, MODERN, Hosted, Servers, each_server, run

SCRIPT = (HERE / "scripts" / "typescript.mjs").read_text()
CLIENTS = [
    ("1", "legacy"),
    pytest.param("2", "legacy", marks=pytest.mark.slow),
    ("2", "auto"),
    ("2", MODERN),
]
each_client = pytest.mark.parametrize(("sdk", "mode"), CLIENTS)


def play(sdk: str, mode: str, story: str, server: Hosted, *more: str) -> Any:
    command = packages.node("--input-type=module", "-", sdk, mode, story, server.url, server.token, *more)
    outcome = run(command, cwd=packages.folder(), script=SCRIPT)
    assert outcome.code == 0, outcome.errors
    return outcome.found


@each_client
@each_server
def test_lists_and_calls(hosted: Servers, sdk: str, mode: str, server: str) -> None:
    tool, arguments, text = CALLS[server]
    seen = play(sdk, mode, "call", hosted[server], tool, arguments)
    assert seen["protocol"] == ("2025-11-25" if mode == "legacy" else MODERN)
    assert tool in seen["tools"]
    assert seen["text"] == text
    assert "no-such-tool" in seen["refused"]
    if server != "everything":
        assert seen["answered"] == {"action": "accept", "content": {"name": "Ada"}}
        assert seen["asked"] == ["Who?"]


@each_client
@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_progress_log_sampling_and_cancelling(hosted: Servers, sdk: str, mode: str, era: str) -> None:
    seen = play(sdk, mode, "features", hosted[f"features-{era}"])
    assert seen["progress"][-3:] == [1, 2, 3]
    assert seen["logs"] == ["hello"]
    assert seen["sampled"]["content"] == {"type": "text", "text": "something"}
    assert seen["aborted"]
    assert seen["cancelled"] == 1


@pytest.mark.parametrize("sdk", ["1", "2"])
def test_comes_back_when_a_stream_breaks_off(hosted: Servers, sdk: str) -> None:
    seen = play(sdk, "legacy", "broken", hosted["legacy"])
    assert seen["text"] == "done"
    assert seen["resumed"] == 1


@pytest.mark.parametrize("sdk", ["1", "2"])
def test_another_client_resumes_a_call(hosted: Servers, sdk: str) -> None:
    seen = play(sdk, "legacy", "resumed", hosted["legacy"])
    assert (seen["text"], seen["count"]) == ("done", 1)


@each_client
def test_a_bad_token_is_a_401(hosted: Servers, sdk: str, mode: str) -> None:
    seen = play(sdk, mode, "refused", Hosted(hosted["legacy"].url, "bad"))
    assert seen["status"] == 401 or "401" in seen["error"]
