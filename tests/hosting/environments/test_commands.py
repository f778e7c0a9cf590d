"""How the package tools are run."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from hosting.kinds import BuildFailed
from hosting.kinds.commands import MAX_LOG_CHARACTERS, Command, Log, run, tool_environment


def python(code: str, seconds: float = 30.0) -> Command:
    return Command([sys.executable, "-c", code], cwd=Path("/"), seconds=seconds)


def test_time_limit_ends_the_tool_and_its_children() -> None:
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    started = time.monotonic()
    with pytest.raises(BuildFailed, match="wasn't done after 1 second") as caught:
        run(python(child, seconds=1.0), Log(), None)
    assert caught.value.is_transient
    assert time.monotonic() - started < 20  # the child held stderr open: had it lived, this would hang


def test_missing_tool_is_said() -> None:
    with pytest.raises(BuildFailed, match="couldn't be started"):
        run(Command(["/nowhere/tool"], cwd=Path("/"), seconds=1.0), Log(), None)


def test_log_is_capped_and_has_no_credentials() -> None:
    log = Log(hidden={"/data/store": "STORE"})
    code = "import sys; sys.stderr.write('at https://me:word@host/x in /data/store/y\\n' + 'z\\n' * 300000)"
    finished = run(python(code), log, None)
    assert finished.code == 0
    assert "at https://***@host/x in STORE/y" in log.text()
    assert len(log.text()) < MAX_LOG_CHARACTERS + 1000


def test_lines_are_seen_as_they_come() -> None:
    seen: list[str] = []
    run(python("import sys; sys.stderr.write('one\\ntwo\\n')"), Log(), None, seen.append)
    assert seen == ["one", "two"]


def test_tools_see_index_settings_and_no_settings_of_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("SLIPWAY_URL", "http://x")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://index")
    monkeypatch.setenv("npm_config_registry", "http://registry")
    env = tool_environment()
    assert env["UV_DEFAULT_INDEX"] == "http://index" and env["npm_config_registry"] == "http://registry"
    assert "DATABASE_URL" not in env and "SLIPWAY_URL" not in env
