"""Each variable that the settings read is described where operators look."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from config import env

ROOT = Path(__file__).resolve().parents[2]
PREFIXES = ("SLIPWAY_GITHUB", "SLIPWAY_GOOGLE", "SLIPWAY_OPENID")  # of config/sign_in.py


def variables() -> set[str]:
    """What config.env is asked for anywhere in config: the first argument of each call. One that is put together there
    (f"{prefix}_CLIENT_ID") counts with each of PREFIXES."""
    found: set[str] = set()
    for file in (ROOT / "config").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and _is_reader(node) and node.args:
                found |= _names(node.args[0])
    return found


def _is_reader(call: ast.Call) -> bool:
    """env.text("NAME") and its like: what has the variable's name as its first parameter."""
    function = call.func
    if not (
        isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "env"
    ):
        return False
    return next(iter(inspect.signature(getattr(env, function.attr)).parameters), "") == "name"


def _names(argument: ast.expr) -> set[str]:
    if isinstance(argument, ast.Constant):
        return {str(argument.value)}
    assert isinstance(argument, ast.JoinedStr), ast.unparse(argument)
    end = "".join(str(part.value) for part in argument.values if isinstance(part, ast.Constant))
    return {f"{prefix}{end}" for prefix in PREFIXES}


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


def test_put_together_names_are_among_them() -> None:
    assert {f"{prefix}_CLIENT_ID" for prefix in PREFIXES} <= variables()
    assert {"SLIPWAY_OPENID_URL", "METRICS_TOKEN", "DATABASE_URL"} <= variables()
