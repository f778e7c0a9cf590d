"""The same promises where the runner is no root: root runs these tests once more as a user that nobody is."""

from __future__ import annotations

import asyncio
import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

NOBODY = 61234  # no user of this number is expected on any machine
HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="this run is an ordinary user's already")


def _interpreter(become: list[str]) -> str:
    """One of this version that an ordinary user may run; root's own may lie below its home folder."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    test = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    for path in (sys.executable, f"/usr/bin/python{version}", f"/usr/local/bin/python{version}"):
        if os.path.exists(path) and subprocess.run([*become, path, "-c", test], capture_output=True).returncode == 0:
            return path
    return ""


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(["runtimes/test_contract.py", "runtimes/test_sandbox.py"], id="sandbox"),
        pytest.param(["egress/test_refusals.py"], id="network", marks=pytest.mark.slow),
        pytest.param(["egress/test_escapes.py"], id="escapes", marks=pytest.mark.slow),
    ],
)
async def test_ordinary_user_keeps_all_promises(files: list[str]) -> None:
    setpriv = shutil.which("setpriv")
    assert setpriv is not None
    become = [setpriv, "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    become += ["/bin/sh", "-c", 'exec "$@"', "become"]  # setpriv itself still may what root may
    interpreter = _interpreter(become)
    if not interpreter:
        pytest.skip("no Python of this version that an ordinary user may run")
    packages = next(path for path in sys.path + site.getsitepackages() if (Path(path) / "pytest").is_dir())
    argv = [
        *become, interpreter, "-m", "pytest", *(str(HERE.parent / file) for file in files),
        "-q", "-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider", "-c", os.devnull,
        "--rootdir", str(HERE.parents[2]), "--confcutdir", str(HERE.parent), "--import-mode=importlib",
        "-o", "asyncio_mode=auto", "-k", "not insecure and not bubblewrap-watched",
    ]  # fmt: skip
    path = f"{HERE.parents[2]}{os.pathsep}{packages}"
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # only what these tests need
    run = await asyncio.create_subprocess_exec(
        *argv, cwd="/", env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await run.communicate()
    assert run.returncode == 0, output.decode()
    assert b"passed" in output
