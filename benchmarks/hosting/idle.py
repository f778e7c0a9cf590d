"""What a site costs on which nothing happens: milliseconds of processor a second, of each of its processes.

python -m benchmarks.hosting.idle [--seconds 60] [--web 2]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from benchmarks.hosting.weight import PARTS, busy
from tests.stack import Stack

SETTLE_SECONDS = 20.0  # until what is done once after a start is done
SERVICES = {"postgres:": "PostgreSQL", "bin/postgres": "PostgreSQL", "valkey-server": "Valkey"}


def processes(stack: Stack) -> dict[str, int]:
    """All of the site by what they are and a number; the supervisor is "up"."""
    words = {word: part for part, word in PARTS.items()} | SERVICES
    found, count = {"up": stack.pid}, Counter[str]()
    for pid, command in sorted(stack.processes().items()):
        if part := next((part for word, part in words.items() if word in command), ""):
            count[part] += 1
            found[f"{part} {count[part]}"] = pid
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--web", type=int, default=2, help="web processes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "home", WEB_PROCESSES=str(arguments.web))
        try:
            stack.start()
            time.sleep(SETTLE_SECONDS)
            shares = busy(processes(stack), arguments.seconds)
        finally:
            stack.stop()
    took: defaultdict[str, float] = defaultdict(float)
    for name, percent in shares.items():
        took["PostgreSQL" if name.startswith("PostgreSQL") else name] += percent * 10
    print("| process | ms of processor a second |\n|---|---|")
    for name, milliseconds in took.items():
        print(f"| {name} | {milliseconds:.1f} |")
    print(f"| all | {sum(took.values()):.1f} |")


if __name__ == "__main__":
    main()
