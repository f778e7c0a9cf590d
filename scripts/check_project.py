"""What Django itself can say of the project: migrations that are missing, and production settings that are too lax. And
whether new databases still start from nearly all of their tables."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MANAGE = ROOT / "manage.py"
SCHEMA = ROOT / "config" / "schema" / "schema.sql"
LATER = 15  # migrations that may be newer than SCHEMA: each costs a new site some time, and each test run
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SLIPWAY_URL": "https://slipway.example.org",
    "TRUSTED_PROXIES": "127.0.0.1",
}


def run(environment: dict[str, str], *command: str) -> int:
    with tempfile.TemporaryDirectory(prefix="slipway-check-") as home:
        # makemigrations wants to look at the database's history and warns when there is none to look at.
        argv = [sys.executable, "-W", "ignore::RuntimeWarning", str(MANAGE), *command]
        return subprocess.run(argv, env={**os.environ, "SLIPWAY_HOME": home, **environment}).returncode


def migrations_later() -> list[str]:
    """The project's migrations that new databases go one by one, since SCHEMA is older: "app.name"."""
    there = set(
        re.findall(r"^    \('(\w+)', '(\w+)', now\(\)\)", SCHEMA.read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    ours = {(path.parts[-3], path.stem) for path in ROOT.glob("*/migrations/[0-9]*.py")}
    return sorted(f"{app}.{name}" for app, name in ours - there)


def schema_is_recent() -> bool:
    later = migrations_later()
    if len(later) > LATER:
        print(f"{len(later)} migrations are newer than config/schema; `make schema` writes it anew: {', '.join(later)}")
    return len(later) <= LATER


def main() -> None:
    local = {"DJANGO_SETTINGS_MODULE": "config.settings.local"}
    failed = run(local, "makemigrations", "--check", "--dry-run")
    failed |= run(PRODUCTION, "check", "--deploy", "--fail-level", "WARNING")
    failed |= not schema_is_recent()
    sys.exit(failed)


if __name__ == "__main__":
    main()
