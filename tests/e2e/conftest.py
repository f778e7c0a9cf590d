"""A site whose package index also has a few servers of our own, so that tests can steer what they host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packages.local_index import LocalIndex
from tests.stack import Stack

LEGACY = Path(__file__).parents[1] / "servers" / "legacy.py"
MISBEHAVING = ("exit", "rubbish", "hang")


@pytest.fixture(scope="package")
def local_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`pypi:slipway-test-legacy`, and `-exit`, `-rubbish`, `-hang`, which do what their names say."""
    with LocalIndex() as index:
        code = LEGACY.read_text()
        index.add_wheel(
            "slipway-test-legacy",
            "1.0",
            {"slipway_test_legacy.py": code},
            scripts={"slipway-test-legacy": "slipway_test_legacy:main"},
        )
        for mode in MISBEHAVING:
            module = f"slipway_test_{mode}"
            changed = code.replace('os.environ.get("SERVER_MODE", "")', f'"{mode}"')
            assert changed != code
            index.add_wheel(
                f"slipway-test-{mode}",
                "1.0",
                {f"{module}.py": changed},
                scripts={f"slipway-test-{mode}": f"{module}:main"},
            )
        site = Stack(tmp_path_factory.mktemp("local-site"), UV_INDEX=f"{index.url}/simple")
        site.start()
        yield site
        site.stop()


def host(site: Stack, package: str, name: str, owner: str = "alice") -> tuple[str, str]:
    """Host a package; the MCP URL and a token for it."""
    url = site.manage("host", f"pypi:{package}", "--owner", owner, "--name", name).stdout.strip()
    token = site.manage("issue_token", "--user", owner, "--deployment", f"{owner}/{name}").stdout.strip()
    return url, token
