"""One site for all walks: a registry of a few entries, an index with the package that they name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.packages.local_index import LocalIndex
from tests.stack import Stack

ENTRY: Final = "org.example/chameleon"
PACKAGE: Final = "acme-chameleon"
SECRET: Final = "s3cret-of-the-walk"
CHAMELEON = (Path(__file__).parents[2] / "servers" / "chameleon.py").read_text()
_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"


@pytest.fixture(scope="package")
def walk_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with LocalIndex() as index:
        index.add_wheel(PACKAGE, "1.0.0", {"acme_chameleon.py": CHAMELEON}, scripts={PACKAGE: "acme_chameleon:main"})
        folder = tmp_path_factory.mktemp("site")
        site = Stack(folder, WEB_PROCESSES="1", REGISTRY_READMES_A_MINUTE="0", **index.settings)
        site.secrets.add(SECRET)
        try:
            yield site.start()
        finally:
            site.stop()


@pytest.fixture(scope="package")
def entries(walk_site: Stack) -> Stack:
    """The site, once its registry has something."""
    file = walk_site.home / "entries.ndjson"
    file.write_text("".join(json.dumps(one) + "\n" for one in documents()))
    walk_site.manage("import_registry", str(file))
    return walk_site


def documents() -> list[dict[str, Any]]:
    key = {"name": "API_KEY", "description": "What it is opened with", "isRequired": True, "isSecret": True}
    colour = {"name": "TOOL_TEXT", "description": "What its tool says of itself", "default": "Says hello."}
    package = {"registryType": "pypi", "identifier": PACKAGE, "version": "1.0.0", "transport": {"type": "stdio"}}
    base = {"$schema": _SCHEMA, "version": "1.0.0"}
    chameleon = {
        **base, "name": ENTRY, "title": "Chameleon", "description": "Says hello in the colour of its key",
        "packages": [{**package, "environmentVariables": [key, colour]}],
    }  # fmt: skip
    others = [
        {**base, "name": f"org.example.harbour/{name}", "title": title, "description": words,
         "remotes": [{"type": "streamable-http", "url": f"https://{name}.example.org/mcp"}]}
        for name, title, words in [
            ("tides", "Tides", "When the water comes and goes, at any harbour of three oceans"),
            ("berths-and-moorings", "Berths", "Finds a free berth, and books it after asking"),
            ("weather", "Sea weather", "Wind, waves and warnings for the next five days"),
        ]
    ]  # fmt: skip
    return [chameleon, {**chameleon, "version": "1.1.0"}, *others]
