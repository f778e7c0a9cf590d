"""What Django itself can say of the project: migrations that are missing, and production settings that are too lax."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

MANAGE = Path(__file__).resolve().parents[1] / "manage.py"
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


def main() -> None:
    local = {"DJANGO_SETTINGS_MODULE": "config.settings.local"}
    failed = run(local, "makemigrations", "--check", "--dry-run")
    failed |= run(PRODUCTION, "check", "--deploy", "--fail-level", "WARNING")
    sys.exit(failed)


if __name__ == "__main__":
    main()
