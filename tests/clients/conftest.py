"""A site with servers of each era for clients that others wrote, and what it takes to run those."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clients import packages
from tests.packages.local_index import LocalIndex
from tests.stack import Stack

HERE = Path(__file__).parent
SERVERS = HERE.parent / "servers"
SECONDS = 180.0  # of a machine that many others use, and the first time there is something to install
MODERN = "2026-07-28"

REFERENCES = {
    "legacy": "pypi:slipway-test-legacy",
    "modern": "pypi:slipway-test-modern",
    "features-legacy": "pypi:slipway-features-legacy",
    "features-modern": "pypi:slipway-features-modern",
    "everything": f"npm:{packages.EVERYTHING}",
}
# Server -> a tool, its arguments as JSON, and the text of its result.
CALLS = {
    "legacy": ("echo", '{"text": "hü"}', "hü"),
    "modern": ("echo", '{"text": "hü"}', "hü"),
    "everything": ("echo", '{"message": "hü"}', "Echo: hü"),
}
EVERYTHING = pytest.param("everything", marks=pytest.mark.slow)
each_server = pytest.mark.parametrize("server", ["legacy", "modern", EVERYTHING])


@dataclass(frozen=True)
class Hosted:
    url: str
    token: str


@dataclass(frozen=True)
class Outcome:
    """What a client's process said. `found` is its standard output as JSON, None when it isn't."""

    code: int
    output: str
    errors: str

    @property
    def found(self) -> Any:
        try:
            return json.loads(self.output)
        except json.JSONDecodeError:
            return None


def run(command: Sequence[str], *, cwd: Path | None = None, script: str = "", **environment: str) -> Outcome:
    """Run a client to its end; `script` is its standard input."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, cwd=cwd, input=script,
        env={**packages.environment(), **environment},
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr)


def add_to(index: LocalIndex) -> None:
    """The servers as packages."""
    features = (HERE / "features.py").read_text()
    assert features.count('ERA = "legacy"') == 1
    index.add_wheel(
        "slipway-test-legacy",
        "1.0",
        {"slipway_test_legacy.py": (SERVERS / "legacy.py").read_text()},
        scripts={"slipway-test-legacy": "slipway_test_legacy:main"},
    )
    index.add_wheel(
        "slipway-test-modern",
        "1.0",
        {
            "slipway_test_modern.py": (SERVERS / "modern.py").read_text(),  # serves as it is imported
            "slipway_test_modern_start.py": "def main():\n    import slipway_test_modern\n",
        },
        scripts={"slipway-test-modern": "slipway_test_modern_start:main"},
    )
    for era in ("legacy", "modern"):
        module = f"slipway_features_{era}"
        code = features.replace('ERA = "legacy"', f'ERA = "{era}"')
        index.add_wheel(
            f"slipway-features-{era}",
            "1.0",
            {f"{module}.py": code},
            scripts={f"slipway-features-{era}": f"{module}:main"},
        )


@pytest.fixture(scope="package")
def clients_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with LocalIndex() as index:
        add_to(index)
        site = Stack(tmp_path_factory.mktemp("clients"), WEB_PROCESSES="2", UV_INDEX=f"{index.url}/simple")
        try:
            yield site.start()
        finally:
            site.stop()


class Servers:
    """The servers by name; each is hosted when it is first asked for."""

    def __init__(self, site: Stack) -> None:
        self._site = site
        self._known: dict[str, Hosted] = {}

    def __getitem__(self, name: str) -> Hosted:
        if name not in self._known:
            words = ("host", REFERENCES[name], "--owner", "alice", "--name", name)
            url = self._site.manage(*words, seconds=300).stdout.strip()
            token = self._site.manage("issue_token", "--user", "alice", "--deployment", f"alice/{name}").stdout.strip()
            self._known[name] = Hosted(url, token)
        return self._known[name]


@pytest.fixture(scope="package")
def hosted(clients_site: Stack) -> Servers:
    return Servers(clients_site)
