#!/usr/bin/env python3
"""Slipway's one command line. Finds the project's virtual environment by itself."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"


def enter_environment() -> None:
    """Go on with the interpreter of .venv, unless some virtual environment is in use already."""
    python = VENV / "bin" / "python"
    if sys.prefix == sys.base_prefix and python.exists():
        os.execv(python, [str(python), str(Path(__file__).resolve()), *sys.argv[1:]])


def main() -> None:
    enter_environment()
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Slipway's packages are not installed yet. Run `make up`, or python3 scripts/bootstrap.py.")
    sys.path.insert(0, str(HERE))
    os.environ.setdefault("SLIPWAY_PART", sys.argv[1] if len(sys.argv) > 1 else "help")
    try:
        from config import env
        from config.launch.home import home_folder
        from config.launch.running import address_taken_up

        if sys.argv[1:2] != ["up"]:  # a site that starts has its own address
            os.environ.update(address_taken_up(home_folder()))
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", env.settings_module())
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Slipway's configuration is wrong. {error}")


if __name__ == "__main__":
    main()
