"""Publishing versions one after the other, with 105,000 there and with none.

Rules, locks, index and audit are included; nothing is checked that would ask other sites.

python -m benchmarks.registry.publish FOLDER [--times 50]; FOLDER is that of the pages' benchmarks, made the first time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from benchmarks.pages.site import grown
from benchmarks.registry.loaded import django_site
from benchmarks.turns import Taken, by_turns
from tests.stack import ROOT

NAMESPACE = "org.example.benchmark"  # all of it is deleted afterwards
LONG = 300  # versions of a server that has many
ROUNDS = 5
_HERE, _OWN = "here", "own"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path, nargs="?", help="where the large site's data is kept")
    asked.add_argument("--times", type=int, default=50, help="versions of each kind in a round")
    asked.add_argument("--in-process", choices=(_HERE, _OWN), help="how the benchmark starts itself")
    given = asked.parse_args()
    if given.in_process:
        print(json.dumps({name: [taken.wall, taken.cpu] for name, taken in _measured(given).items()}))
        return
    few = _of_process(_OWN, given.times, os.environ)
    with grown(given.folder) as site:
        many = _of_process(_HERE, given.times, site.environment)
    print("| | empty: /s, ms of processor | 105,000: /s, ms of processor | 105,000 to empty |\n|---|---|---|---|")
    for name, one in few.items():
        cells = [f"{1 / each.wall:,.0f}, {each.cpu * 1e3:.2f}" for each in (one, many[name])]
        print(f"| {name} | {' | '.join(cells)} | {one.wall / many[name].wall:.2f} |")


def _of_process(whose: str, times: int, environment: Mapping[str, str]) -> dict[str, Taken]:
    command = [sys.executable, "-m", "benchmarks.registry.publish", "--times", str(times), "--in-process", whose]
    done = subprocess.run(command, env=dict(environment), cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return {name: Taken(*taken) for name, taken in json.loads(done.stdout.splitlines()[-1]).items()}


def _measured(given: argparse.Namespace) -> dict[str, Taken]:
    """On this process's site, or on an empty one of its own."""
    if given.in_process == _HERE:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
        os.environ["SLIPWAY_PART"] = "shell"
        import django

        django.setup()
    with django_site() if given.in_process == _OWN else nullcontext():
        logging.disable(logging.INFO)
        from registry.models import Server

        try:
            return _by_turns(given.times)
        finally:
            Server.objects.filter(name__startswith=f"{NAMESPACE}/").delete()


def _by_turns(times: int) -> dict[str, Taken]:
    from events.actors import Actor
    from registry.permissions import Permission
    from registry.publishing import Publisher, check_document, version_publish
    from tests.registry.site import document

    publisher = Publisher(Actor("benchmark"), "benchmark", (Permission("publish", f"{NAMESPACE}/*"),))
    numbers = itertools.count()

    def publish(name: str) -> None:
        made = document(f"{NAMESPACE}/{name}", f"1.0.{next(numbers)}", description="Answers what a benchmark asks it")
        version_publish(publisher=publisher, document=made)

    def new() -> None:
        for _ in range(times):
            publish(f"server{next(numbers)}")

    def further() -> None:
        for _ in range(times):
            publish("long")

    def checked() -> None:
        for number in range(times):
            check_document(document(f"{NAMESPACE}/checked", f"1.0.{number}"))

    for _ in range(LONG):
        publish("long")
    return by_turns(
        {
            "a new server": (times, new),
            f"another version of one with {LONG} and more": (times, further),
            "(its document checked, nothing written)": (times, checked),
        },
        ROUNDS,
    )


if __name__ == "__main__":
    main()
