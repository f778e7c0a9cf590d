"""The fixture's variants as packages, each a wheel with only what it needs, for an index of the tests' own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.packages.local_index import LocalIndex

SOURCE = Path(__file__).parent / "fixture" / "slipway_conformance"
VERSION = "1.0.0"
COMMON = ("__init__", "answers", "catalogue", "content", "exchange", "http", "prompts", "resources", "rounds", "tools")
MODERN = (*COMMON, "jobs", "tasks", "dual")


@dataclass(frozen=True)
class Variant:
    """One package. Its console script has the package's name."""

    name: str
    modules: tuple[str, ...]
    requires: tuple[str, ...]

    @property
    def package(self) -> str:
        return f"slipway-conformance-{self.name}"


VARIANTS = {
    "dual": Variant("dual", MODERN, ("mcp==2.3.0",)),
    "modern": Variant("modern", (*MODERN, "modern"), ("mcp==2.3.0",)),
    "legacy": Variant("legacy", (*COMMON, "jobs", "legacy"), ("mcp==1.30.0",)),
}


def add_to(index: LocalIndex) -> None:
    for variant in VARIANTS.values():
        files = {f"slipway_conformance/{name}.py": (SOURCE / f"{name}.py").read_text() for name in variant.modules}
        scripts = {variant.package: f"slipway_conformance.{variant.name}:main"}
        index.add_wheel(variant.package, VERSION, files, scripts=scripts, requires=variant.requires)
