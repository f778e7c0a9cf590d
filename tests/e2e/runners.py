"""A second runner of a site, which nobody starts again, and which runner runs what."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from tests.bound import bound
from tests.stack import ROOT, SECONDS, Stack


@contextlib.contextmanager
def second_runner(site: Stack) -> Iterator[subprocess.Popen[bytes]]:
    """Its name is `second`."""
    process = subprocess.Popen(
        [sys.executable, *bound(str(ROOT / "manage.py"), "runner", "--name", "second")],
        env=dict(site.environment),
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        process.wait(SECONDS)


def awake(site: Stack) -> dict[str, list[str]]:
    """The runners that run instances of each deployment, by its name, as the site has seen them last. Each once: a look
    at its tools and a session may have an instance each.
    """
    found: dict[str, list[str]] = asked(
        site,
        "from hosting.models import Instance as I; found = {}\n"
        "where = I.objects.filter(state='running').values_list('deployment__name', 'runner__name')\n"
        "for name, runner in where.order_by('deployment__name', 'runner__name').distinct():\n"
        "    found.setdefault(name, []).append(runner)",
    )
    return found


def placed(site: Stack) -> dict[str, str]:
    """The runner that each deployment is placed on, by its name."""
    found: dict[str, str] = asked(
        site,
        "from hosting.models import RunnerPlacement as P\n"
        "found = {p.deployment.name: p.runner.name if p.runner else ''"
        " for p in P.objects.select_related('deployment', 'runner')}",
    )
    return found


def dead_at(site: Stack, runner: str) -> float:
    """When the site wrote down last that this runner is dead, as seconds since the epoch."""
    found: float = asked(
        site,
        "from events.models import AuditEntry as A\n"
        f"found = A.objects.filter(action='runner:dead', data__name='{runner}').order_by('at').last().at.timestamp()",
    )
    return found


def asked(site: Stack, code: str) -> Any:
    """What the code leaves in `found`, in a process of the site."""
    said = site.manage("shell", "--no-imports", "-c", f"import json\n{code}\nprint(json.dumps(found))").stdout
    return json.loads(said)
