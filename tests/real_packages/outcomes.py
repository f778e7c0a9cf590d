"""What came of hosting a package, as the platform's own records say it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.stack import Stack

_LOOK = """
import json
from hosting.models import Deployment
found = Deployment.objects.get(name="{name}")
latest = found.versions.order_by("-number").first()
print("ROW " + json.dumps({{
    "state": found.state, "reason": found.reason, "resolved": latest.resolved, "missing": latest.missing,
    "tools": None if latest.tools is None else len(latest.tools), "failure": latest.failure,
    "notices": latest.notices, "as_of": str(latest.as_of or ""), "era": latest.era,
}}))
"""
BUILD_SECONDS = 300.0
LOOK_SECONDS = 200.0


@dataclass(frozen=True)
class Outcome:
    """`tools` is None when the server was never heard; then `needs` or `words` says why."""

    package: str
    resolved: str
    tools: int | None
    needs: str
    words: str
    as_of: str
    era: str
    seconds: float

    @property
    def kind(self) -> str:
        if self.tools is not None:
            return "starts"
        return "needs a setting" if self.needs else "does not start"


def host(site: Stack, package: str, name: str) -> Outcome:
    """Hosts the package and waits until the platform knows what becomes of it."""
    began = time.monotonic()
    site.manage("host", package, "--owner", "alice", "--name", name, seconds=BUILD_SECONDS, check=False)
    end = time.monotonic() + LOOK_SECONDS
    row = look(site, name)
    while row["tools"] is None and row["state"] not in ("failed", "stopped") and time.monotonic() < end:
        time.sleep(2)
        row = look(site, name)
    seconds = time.monotonic() - began
    words = str(row["failure"] or (row["reason"] if row["tools"] is None else ""))
    site.manage("shell", "-c", STOP.format(name=name))  # so that no more than one of them uses memory
    return Outcome(
        package=package,
        resolved=str(row["resolved"]),
        tools=row["tools"],  # type: ignore[arg-type]
        needs=str(row["missing"]),
        words=" ".join(words.split())[:300],
        as_of=str(row["as_of"]),
        era=str(row["era"]),
        seconds=round(seconds, 1),
    )


STOP = """
from events.actors import OPERATOR
from hosting.models import Deployment
from hosting.services import deployment_stop
deployment_stop(actor=OPERATOR, deployment=Deployment.objects.get(name="{name}"))
"""


def look(site: Stack, name: str) -> dict[str, object]:
    printed = site.manage("shell", "-c", _LOOK.format(name=name)).stdout
    (line,) = [line for line in printed.splitlines() if line.startswith("ROW ")]
    row: dict[str, object] = json.loads(line.removeprefix("ROW "))
    return row


def save(folder: Path, outcome: Outcome) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = outcome.package.replace(":", "-").replace("/", "-").replace("@", "")
    (folder / f"{name}.json").write_text(json.dumps(asdict(outcome), indent=1))


def load(folder: Path) -> dict[str, Outcome]:
    found = [Outcome(**json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]
    return {outcome.package: outcome for outcome in found}
