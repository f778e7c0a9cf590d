"""Each variable that the settings read is described where operators look."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def variables() -> set[str]:
    """The first argument of each call of config.env in a settings file."""
    found = set()
    for file in (ROOT / "config/settings").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "env"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(str(node.args[0].value))
    return found


def described() -> set[str]:
    rows = [
        line.split("|")[1] for line in (ROOT / "docs/settings.md").read_text().splitlines() if line.startswith("| `")
    ]
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def test_settings_are_read_at_all() -> None:
    assert len(variables()) > 50


@pytest.mark.parametrize("name", sorted(variables()))
def test_variable_is_described(name: str) -> None:
    assert name in described(), f"docs/settings.md says nothing of {name}"
