#!/usr/bin/env python3
"""Make the project's virtual environment from a lock file, or see at a glance that it is as it should be.

Standard library only: it runs before anything is installed, with whatever python3 there is. `--dev` installs
requirements-dev.lock, which holds everything of requirements.lock too.
"""

import ast
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(HERE, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "slipway.json")
RUNTIME, DEV = "requirements.lock", "requirements-dev.lock"
LEAST = (3, 11)


def main():
    wanted = DEV if "--dev" in sys.argv[1:] else RUNTIME
    if sys.version_info < LEAST:
        again_with_newer()
    digest = file_digest(wanted)
    if read_stamp().get(wanted) == digest and runs(PYTHON, "-c", "import django"):
        return
    say(f"Installing {wanted} into .venv (once; later starts skip this)")
    if not runs(PYTHON, "-m", "pip", "--version"):
        make_environment()
    if os.path.exists(STAMP):
        os.unlink(STAMP)  # until the end nothing is as it should be
    install_uv(wanted)
    install_all(wanted)
    write_stamp(wanted, digest)


def say(line):
    print(line, file=sys.stderr, flush=True)


def stop(reason):
    say("Slipway can't be installed. " + reason)
    sys.exit(1)


def again_with_newer():
    """An old python3 may stand before a newer one."""
    for minor in range(20, LEAST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and runs(found, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"):
            os.execv(found, [found] + sys.argv)
    stop(
        f"It needs Python 3.11 or newer, and python3 here is {sys.version_info[0]}.{sys.version_info[1]}. "
        "Install a newer one, or name it: make up PYTHON=/path/to/python3.12"
    )


def runs(*command):
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


# -- what has been installed


def file_digest(name):
    with open(os.path.join(HERE, name), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def read_stamp():
    try:
        with open(STAMP) as file:
            found = json.load(file)
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


def write_stamp(wanted, digest):
    stamp = {wanted: digest}
    if wanted == DEV:
        stamp[RUNTIME] = file_digest(RUNTIME)
    with open(STAMP, "w") as file:
        json.dump(stamp, file)


# -- steps


def make_environment():
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        install_venv_package()
    if os.path.exists(VENV):
        say("Making .venv anew: the one there does not work")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True)
    if made.returncode != 0:
        stop("python3 -m venv failed:\n" + (made.stdout + made.stderr).strip())


def install_venv_package():
    """Debian and Ubuntu keep a part of Python's standard library in a package of its own."""
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    by_hand = f"Install it (on Debian and Ubuntu: sudo apt-get install {package}) and try again."
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        stop("This Python comes without venv and ensurepip, which make virtual environments. " + by_hand)
    say(f"This Python comes without venv; installing {package}")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", package]):
        if subprocess.run(["apt-get"] + command, env=environment, stdout=subprocess.DEVNULL).returncode != 0:
            stop(f"apt-get {command[0]} failed. {by_hand}")


def install_uv(wanted):
    """uv by pip, with the hashes of the lock file; the rest is uv's, which is ten times as fast."""
    block, taking = [], False
    with open(os.path.join(HERE, wanted)) as file:
        for line in file:
            if not line.startswith((" ", "\t")):
                taking = line.startswith("uv==")
            if taking:
                block.append(line)
    if not block:
        stop(f"{wanted} does not name uv.")
    with tempfile.NamedTemporaryFile("w", suffix=".lock") as only_uv:
        only_uv.write("".join(block).rstrip().rstrip("\\") + "\n")
        only_uv.flush()
        command = [PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        installed = subprocess.run(command + ["-r", only_uv.name], capture_output=True, text=True)
    if installed.returncode != 0:
        stop(
            "pip could not install uv from the package index. Is there a network, and is the index right (pip config "
            "list)? pip said:\n" + last_lines(installed.stdout + installed.stderr)
        )


def install_all(wanted):
    command = [os.path.join(VENV, "bin", "uv"), "pip", "sync", "-q", "--python", PYTHON, "--require-hashes"]
    command += ["--compile-bytecode", os.path.join(HERE, wanted)]
    installed = subprocess.run(command, capture_output=True, text=True, env=index_environment(), cwd=HERE)
    if installed.returncode == 0:
        return
    say("uv could not install everything; trying pip, which takes longer")
    command = [PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r"]
    by_pip = subprocess.run(command + [os.path.join(HERE, wanted)], capture_output=True, text=True)
    if by_pip.returncode != 0:
        stop(f"uv said:\n{last_lines(installed.stderr)}\npip said:\n{last_lines(by_pip.stderr)}")
    packages = glob.glob(os.path.join(VENV, "lib", "*", "site-packages"))
    subprocess.run(
        [PYTHON, "-m", "compileall", "-q", "-j", "0"] + packages, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def index_environment():
    """uv reads no configuration of pip's: hand it on, unless uv has been told on its own where to look."""
    environment = dict(os.environ)
    if any(name in environment for name in ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL")):
        return environment
    listed = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    found = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        try:
            found[name.split(".")[-1]] = str(ast.literal_eval(value)).split()
        except (ValueError, SyntaxError):
            continue
    for option, variable in (
        ("index-url", "UV_DEFAULT_INDEX"),
        ("extra-index-url", "UV_INDEX"),
        ("find-links", "UV_FIND_LINKS"),
        ("cert", "SSL_CERT_FILE"),
    ):
        if found.get(option):
            environment.setdefault(variable, (" " if variable == "UV_INDEX" else ",").join(found[option]))
    if "UV_INDEX" in environment:
        # pip takes the best of all its indexes; the lock's hashes say which files are right, wherever they are.
        environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return environment


def last_lines(text):
    return "\n".join("    " + line for line in text.strip().splitlines()[-8:])


if __name__ == "__main__":
    main()
