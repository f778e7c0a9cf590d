"""Runs the official conformance suite against an MCP URL and reads what it found.

As a command: `python -m tests.conformance.suite URL --revision 2026-07-28 [--token TOKEN] [--scenario NAME …]`.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SUITE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
NODE = "22.23.3"  # the suite needs 22 or newer, and machines have older ones
REVISIONS = ("2025-11-25", "2026-07-28")
SCENARIO_SECONDS = 30
RUN_SECONDS = 900
INSTALL_SECONDS = 600
_LATE = "aborted due to timeout"  # what AbortSignal.timeout says
_NETWORK_WORDS = (
    "ENOTFOUND",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "EAI_AGAIN",
    "ENETUNREACH",
    "ERR_SOCKET_TIMEOUT",
)

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("SLIPWAY_CONFORMANCE_CACHE") or Path.home() / ".cache" / "slipway-conformance")


@dataclass(frozen=True)
class Scenario:
    """What one scenario found. Texts are "check-id: what the suite says"."""

    name: str
    is_scored: bool
    failures: tuple[str, ...]
    warnings: tuple[str, ...]
    skipped: tuple[str, ...]
    passed: frozenset[str]  # ids of checks

    @property
    def has_passed(self) -> bool:
        return not self.failures


@dataclass(frozen=True)
class Report:
    revision: str
    scenarios: dict[str, Scenario]
    output: str

    def passed(self, *, is_scored: bool = True) -> set[str]:
        return {name for name, found in self.scenarios.items() if found.is_scored is is_scored and found.has_passed}

    def failed(self, *, is_scored: bool = True) -> dict[str, tuple[str, ...]]:
        return {
            name: found.failures
            for name, found in self.scenarios.items()
            if found.is_scored is is_scored and not found.has_passed
        }

    def late(self) -> list[str]:
        """Scenarios that met a deadline of the suite's own, 2 or 5 s: to start a child takes a busy machine as long."""
        found = {**self.failed(), **self.failed(is_scored=False)}
        return [name for name, texts in found.items() if all(_LATE in text for text in texts)]

    def with_others(self, report: Report) -> Report:
        """With that report's scenarios in the place of these."""
        return Report(self.revision, {**self.scenarios, **report.scenarios}, self.output + report.output)

    def warnings(self) -> dict[str, tuple[str, ...]]:
        return {name: found.warnings for name, found in self.scenarios.items() if found.warnings}

    def score(self, *, is_scored: bool = True) -> str:
        total = sum(found.is_scored is is_scored for found in self.scenarios.values())
        return f"{len(self.passed(is_scored=is_scored))}/{total}"

    def __str__(self) -> str:
        lines = [f"{self.revision}: {self.score()} scored, {self.score(is_scored=False)} not scored"]
        for name, found in sorted(self.scenarios.items()):
            marked = [("FAILED", found.failures), ("warning", found.warnings), ("skipped", found.skipped)]
            lines += [f"  {word} {name}: {text}" for word, texts in marked for text in texts]
        return "\n".join(lines)


@dataclass(frozen=True)
class Installed:
    node: Path
    suite: Path


@cache
def installed() -> Installed:
    """Node and the suite in the cache folder, installed by npm when they are not there.

    Raises RuntimeError with npm's output when it fails. The package `node` fetches its binary in an install script;
    the binary's own package is asked for instead, so that no script has to run.
    """
    machine = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    binary = f"node-{sys.platform}-{machine}"
    version = SUITE.rpartition("@")[2]
    folder = CACHE / f"{version}-node-{NODE}"
    found = Installed(
        folder / "node_modules" / binary / "bin" / "node",
        folder / "node_modules" / SUITE.rpartition("@")[0] / "dist" / "index.js",
    )
    if not (found.node.exists() and found.suite.exists()):
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / "lock").open("w") as lock:  # another run may be at it
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (found.node.exists() and found.suite.exists()):
                _install(folder, [f"{binary}@{NODE}", SUITE])
    return found


def _install(folder: Path, packages: list[str]) -> None:
    """Into a folder beside it, which takes its place when everything is there."""
    what = f"{' and '.join(packages)} for the conformance tests"
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--fetch-retries=3"]
    command = ["npm", "install", "--prefix", str(unfinished), *options, *packages]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except FileNotFoundError:
        raise RuntimeError(f"There is no npm to install {what} with. Install Node.js of any version.") from None
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"npm did not install {what} within {INSTALL_SECONDS} s.") from None
    if done.returncode:
        told = f"{done.stdout}{done.stderr}"
        is_network = any(word in told for word in _NETWORK_WORDS)
        cause = "npm's index can't be reached" if is_network else "npm failed"
        raise RuntimeError(f"{cause}, so {what} could not be installed:\n{told}")
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


@cache
def scenarios_of(revision: str) -> dict[str, bool]:
    """The revision's server scenarios as the suite lists them, and whether each is scored."""
    found = installed()
    command = [str(found.node), str(found.suite), "list", "--requirements", revision]
    listing = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    required = listing.partition("Server scenarios")[2].partition("Client scenarios")[0]
    scored = re.findall(r"^ +- (\S+)$", required, re.MULTILINE)
    unscored = re.findall(r"^ +- (\S+) \[server\]", listing, re.MULTILINE)
    return dict.fromkeys(scored, True) | dict.fromkeys(unscored, False)


def run_suite(url: str, revision: str, *, token: str = "", only: Iterable[str] = ()) -> Report:
    """Runs the whole requirement set of a revision, or the scenarios named in `only`, one after another."""
    found = installed()
    wanted = scenarios_of(revision)
    names = tuple(only)
    environment = {**os.environ, "NO_COLOR": "1"}
    loaded: list[str] = []
    if token:
        environment |= {"CONFORMANCE_TOKEN": token, "CONFORMANCE_URL": url}
        loaded = ["--import", (HERE / "authorize.mjs").as_uri()]
    limit = ["--timeout", str(SCENARIO_SECONDS * 1000)]
    # Scenarios of extensions belong to no revision, and are run on demand only with --force.
    chosen = ["--spec-version", revision, "--force"]
    sets = [["--scenario", name, *chosen] for name in names] or [["--requirements", revision]]
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        output = ""
        for arguments in sets:
            command = [str(found.node), *loaded, str(found.suite), "server", "--url", url, *arguments, *limit]
            done = subprocess.run(
                [*command, "-o", folder], capture_output=True, text=True, timeout=RUN_SECONDS, env=environment
            )
            output += done.stdout + done.stderr
        results = read_results(Path(folder), names or tuple(wanted), wanted)
    return Report(revision, results, output)


def read_results(folder: Path, names: Sequence[str], is_scored: dict[str, bool]) -> dict[str, Scenario]:
    """Reads `server-NAME-TIMESTAMP/checks.json`; a scenario that left none has failed."""
    results = {}
    for name in names:
        pattern = re.compile(rf"server-{re.escape(name)}-\d{{4}}")
        files = [path / "checks.json" for path in folder.iterdir() if pattern.match(path.name)]
        checks = json.loads(files[0].read_text()) if files and files[0].exists() else None
        results[name] = Scenario(
            name=name,
            is_scored=is_scored.get(name, False),
            failures=_texts(checks, "FAILURE") if checks is not None else ("the scenario left no result",),
            warnings=_texts(checks, "WARNING"),
            skipped=_texts(checks, "SKIPPED"),
            passed=frozenset(check["id"] for check in checks or () if check["status"] == "SUCCESS"),
        )
    return results


def _texts(checks: list[dict[str, str]] | None, status: str) -> tuple[str, ...]:
    return tuple(
        f"{check['id']}: {check.get('errorMessage') or check['description']}"
        for check in checks or ()
        if check["status"] == status
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the MCP conformance suite against a server.")
    parser.add_argument("url")
    parser.add_argument("--revision", choices=REVISIONS, default=REVISIONS[-1])
    parser.add_argument("--token", default="", help="bearer token for the Authorization header")
    parser.add_argument("--scenario", action="append", default=[], help="only this scenario (repeat for more)")
    parser.add_argument("--verbose", action="store_true", help="the suite's own output as well")
    options = parser.parse_args()
    report = run_suite(options.url, options.revision, token=options.token, only=options.scenario)
    if options.verbose:
        print(report.output)
    print(report)
    return 1 if report.failed() else 0


if __name__ == "__main__":
    sys.exit(main())
