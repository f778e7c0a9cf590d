"""`python -m tests.bound PARENT COMMAND …`: becomes that Python command, and dies with who started it, even by kill -9.

The kernel sends SIGTERM when the *thread* that forked ends (prctl(2), PR_SET_PDEATHSIG): start what is to last in the
thread that runs the tests. It forgets that with a change of user, so this comes after one; a program that is executed
keeps it. Not by Popen's preexec_fn, since pytest has threads of its own and Python 3.12 warns of the fork.
"""

from __future__ import annotations

import os
import signal
import sys

from config.launch.processes import dies_with_parent


def bound(*command: str) -> list[str]:
    """The arguments for Python."""
    return ["-m", "tests.bound", str(os.getpid()), *command]


if __name__ == "__main__":
    dies_with_parent(signal.SIGTERM, int(sys.argv[1]))()
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
