"""What the supervisor does with processes whose parent died."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own: the one that runs the tests must adopt nobody.
_ADOPTS = """
import os, subprocess, time
from config.launch.processes import adopt_orphans, descendants, reap_orphans
adopt_orphans()
ours = subprocess.Popen(["sleep", "0"])
subprocess.run(["sh", "-c", "sleep 0 & exit"], check=True)
deadline = time.monotonic() + 60
while descendants(os.getpid()) != [ours.pid]:
    assert time.monotonic() < deadline, descendants(os.getpid())
    reap_orphans({ours.pid})
    time.sleep(0.01)
assert ours.wait() == 0, "its end is left to who started it"
"""


def test_orphans_are_collected_and_no_others() -> None:
    done = subprocess.run([sys.executable, "-c", _ADOPTS], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
