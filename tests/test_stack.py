"""What tests start ends with them, also when nobody is left to end it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

# A test process that starts a site, as far as `launch` is concerned: a command that prints and waits for its signal.
_TESTS = """
import sys
from pathlib import Path
from tests.stack import Stack

site = Stack(Path(sys.argv[1]))
site._manage = sys.argv[2]
site.launch()
site.expect("started")
print(site.pid, flush=True)
sys.stdin.read()
"""
_SITE = """
import pathlib, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("started", *sys.argv[1:], flush=True)
signal.sigwait([signal.SIGTERM])
pathlib.Path(__file__).with_suffix(".ended").write_text("in order")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_site_ends_in_order_when_its_tests_are_killed(tmp_path: Path, number: signal.Signals) -> None:
    program = tmp_path / "manage.py"
    program.write_text(_SITE)
    argv = [sys.executable, "-c", _TESTS, str(tmp_path / "home"), str(program)]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        site = os.pidfd_open(int(tests.stdout.readline()))
        tests.send_signal(number)
    try:
        assert select.select([site], [], [], 60)[0]  # a pidfd can be read when its process has ended
    finally:
        os.close(site)
    assert (tmp_path / "manage.ended").read_text() == "in order"
