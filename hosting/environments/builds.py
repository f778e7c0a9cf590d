"""Building, finding and removing environments. The marker file in each says that it is whole, and what it is."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hosting.environments.store import LockBusy, Store
from hosting.environments.tree import delete, make_read_only, measure
from hosting.kinds import BuildFailed, Reference, kind_named
from hosting.kinds.boxed import Box
from hosting.kinds.commands import Log
from hosting.kinds.locked import BuildChoices, Locked, Progress, Workplace

MARKER = "environment.json"
MARKER_FORMAT = 1
MAX_DESCRIPTION_BYTES = 256 * 1024
LOCK_WAIT_SECONDS = 1200.0  # longer than another builder's installation may take
REMOVE_WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class Built:
    """A whole environment and how its server is started.

    `argv` has absolute paths and needs no shell; `env` is all the environment it needs; `read_only` lists the absolute
    paths that a sandbox binds besides /usr, folders and single files; `lock` builds the same set elsewhere; `log` is
    what the tools printed this time, for people.
    """

    digest: str
    kind: str
    path: str
    argv: list[str]
    env: dict[str, str]
    read_only: list[str]
    resolved: str  # "mcp-server-time 2026.10.19"
    lock: str
    size_bytes: int
    log: str = ""
    version: str = ""  # "2026.10.19"
    notices: tuple[str, ...] = ()  # sentences for its owner
    runs_install_code: bool = False
    made_from: dict[str, Any] = field(default_factory=dict)  # with `lock`, the whole Locked


_PLAIN = BuildChoices()


def build(reference: Reference, store: Path, progress: Progress, choices: BuildChoices = _PLAIN) -> Built:
    """Resolves a reference and installs what it needs, unless that is there. Raises BuildFailed.

    Takes seconds to half an hour. `progress` is called in this thread with a few words and, where known, the part done.
    """
    log = Log(hidden=_hidden(store))
    try:
        with _workplace(store, log, progress, choices.sandbox) as (place, work):
            progress("resolving", 0.0)
            with place.scratch() as folder:
                resolved = kind_named(reference.kind).resolve(reference, folder, work, choices)
            log.add(f"Resolved {reference} to {resolved.resolved} with {resolved.count}")
            progress(f"resolving: {resolved.count}", 0.2)
            return _install(resolved, place, work, choices)
    except OSError as error:
        raise _not_writable(error, log) from error


def install(wanted: Locked, store: Path, progress: Progress, choices: BuildChoices = _PLAIN) -> Built:
    """Installs an exact set that was resolved before, here or on another host. Raises BuildFailed.

    Of the choices only the archive matters; everything else is in the set.
    """
    log = Log(hidden=_hidden(store))
    try:
        with _workplace(store, log, progress, choices.sandbox) as (place, work):
            return _install(wanted, place, work, choices)
    except OSError as error:
        raise _not_writable(error, log) from error


def released(reference: Reference, version: str, store: Path, sandbox: str = "bubblewrap") -> datetime | None:
    """When a version of a package came out, as far as its index says. Raises BuildFailed without the tools for it."""
    with _workplace(store, Log(), lambda text, part: None, sandbox) as (_, work):
        return kind_named(reference.kind).released(reference, version, work)


def find(digest: str, store: Path, log: str = "") -> Built | None:
    """The environment of this digest, if it is here and whole."""
    folder = Store(store.resolve()).path_of(digest)
    marker = _read_marker(folder)
    if marker is None or marker["digest"] != digest or measure(folder, without=MARKER).fingerprint != marker["tree"]:
        return None
    made_from = Locked(**marker["locked"])
    try:
        launch = kind_named(made_from.kind).launch(made_from, folder)
    except BuildFailed:
        return None  # the interpreter that it was built for has gone
    if not os.access(launch.argv[0], os.X_OK):
        return None
    return Built(
        digest=digest,
        kind=made_from.kind,
        path=str(folder),
        argv=launch.argv,
        env=launch.env,
        read_only=launch.read_only,
        resolved=made_from.resolved,
        lock=made_from.lock,
        size_bytes=marker["size_bytes"],
        log=log,
        version=made_from.version,
        notices=tuple(made_from.notices),
        runs_install_code=made_from.runs_install_code,
        made_from={name: value for name, value in marker["locked"].items() if name != "lock"},
    )


def locked(digest: str, store: Path) -> Locked | None:
    """The exact set that an environment here was made from: what `install` needs elsewhere."""
    marker = _read_marker(Store(store.resolve()).path_of(digest))
    return Locked(**marker["locked"]) if marker else None


def description(digest: str, store: Path) -> str:
    """What the package that is started says of itself (its README), capped; "" where there is nothing."""
    folder = Store(store.resolve()).path_of(digest)
    marker = _read_marker(folder)
    if marker is None:
        return ""
    made_from = Locked(**marker["locked"])
    for file in kind_named(made_from.kind).descriptions(made_from, folder):
        with suppress(OSError), file.open("rb") as opened:
            return opened.read(MAX_DESCRIPTION_BYTES).decode("utf-8", "replace")
    return ""


def remove(digest: str, store: Path) -> bool:
    """Deletes an environment that the caller knows nobody uses; False when there was none or it is being built."""
    place = Store.at(store)
    path = place.path_of(digest)
    try:
        with place.locked(digest, REMOVE_WAIT_SECONDS):
            if not path.exists():
                return False
            place.discard(path)
            return True
    except LockBusy:
        return False


def is_there(digest: str, store: Path) -> bool:
    """Whether its folder exists; `find` tells whether it is whole."""
    return Store(store.resolve()).path_of(digest).exists()


def kept(store: Path) -> dict[str, int]:
    """Digest → bytes of every environment here. Those without a marker count as nothing; `find` tells more."""
    place = Store.at(store)
    found = {digest: _read_marker(place.path_of(digest)) for digest in place.digests()}
    return {digest: marker["size_bytes"] if marker else 0 for digest, marker in found.items()}


def older(store: Path, seconds: float) -> list[str]:
    """Digests of the environments here that were made longer ago than this; damaged ones too."""
    if not store.exists():
        return []
    place, until = Store.at(store), time.time() - seconds
    return [digest for digest in place.digests() if _made_at(place.path_of(digest)) < until]


def sweep(store: Path) -> int:
    """Deletes what dead builders left; gives the number of folders. Safe beside living ones; run it now and then."""
    return Store.at(store).sweep()


@contextmanager
def _workplace(store: Path, log: Log, progress: Progress, sandbox: str) -> Iterator[tuple[Store, Workplace]]:
    place = Store.at(store)
    with place.cache_in_use(), nullcontext() if sandbox == "insecure" else Box() as box:
        yield place, Workplace(place.cache, log, progress, box)


def _install(wanted: Locked, place: Store, work: Workplace, choices: BuildChoices) -> Built:
    digest, log, progress = wanted.digest, work.log, work.progress
    if (built := find(digest, place.root, log.text())) is not None:
        progress("ready", 1.0)
        return built
    try:
        with place.locked(digest, 0.0) as held:
            return _install_alone(wanted, place, replace(work, held=(held,)), choices)
    except LockBusy:
        progress("waiting for another build of the same packages", None)
    try:
        with place.locked(digest, LOCK_WAIT_SECONDS) as held:
            return _install_alone(wanted, place, replace(work, held=(held,)), choices)
    except LockBusy:
        raise BuildFailed(
            f"Another build of {wanted.resolved} is taking too long. Try again later.", log.text(), is_transient=True
        ) from None


def _install_alone(wanted: Locked, place: Store, work: Workplace, choices: BuildChoices) -> Built:
    digest, path, kind = wanted.digest, place.path_of(wanted.digest), kind_named(wanted.kind)
    log, progress = work.log, work.progress
    if (built := find(digest, place.root, log.text())) is not None:  # another builder was faster
        progress("ready", 1.0)
        return built
    runtime = kind.runtime(wanted)
    if (runtime.version, runtime.platform) != (wanted.runtime, wanted.platform):
        raise BuildFailed(
            f"{wanted.resolved} was resolved for {wanted.runtime} on {wanted.platform}, "
            f"and here is {runtime.version} on {runtime.platform}. Deploy it again.",
            log.text(),
        )
    folder = place.new_folder(digest)
    try:
        kind.install(wanted, folder, work, choices)
        try:
            kind.launch(wanted, folder)  # without a command to start there is nothing to keep
        except BuildFailed as failure:
            raise BuildFailed(failure.reason, log.text()) from failure
        _write_marker(wanted, folder)
        make_read_only(folder)
        if path.exists():  # not whole: `find` has refused it
            place.discard(path)
        folder.rename(path)
        path.chmod(0o555)
    finally:
        delete(folder)
    built = find(digest, place.root, log.text())
    if built is None:
        raise BuildFailed(f"The environment of {wanted.resolved} was gone right after it was built.", log.text())
    progress("ready", 1.0)
    return built


def _write_marker(wanted: Locked, folder: Path) -> None:
    tree = measure(folder, without=MARKER)
    marker = {
        "format": MARKER_FORMAT,
        "digest": wanted.digest,
        "locked": asdict(wanted),
        "tree": tree.fingerprint,
        "size_bytes": tree.size_bytes,
    }
    with (folder / MARKER).open("w", encoding="utf-8") as opened:
        json.dump(marker, opened)
        opened.flush()
        os.fsync(opened.fileno())


def _read_marker(folder: Path) -> dict[str, Any] | None:
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return marker if isinstance(marker, dict) and marker.get("format") == MARKER_FORMAT else None


def _made_at(folder: Path) -> float:
    with suppress(FileNotFoundError):
        return (folder / MARKER).stat().st_mtime
    with suppress(FileNotFoundError):
        return folder.stat().st_mtime
    return time.time()


def _hidden(store: Path) -> dict[str, str]:
    """Paths of this machine that people who read a log needn't know."""
    return {str(store.resolve()): "STORE", str(Path.home()): "HOME"}


def _not_writable(error: OSError, log: Log) -> BuildFailed:
    return BuildFailed(
        f"The environment couldn't be stored: {error.strerror or error}. An operator has to look at the disk.",
        log.text(),
        is_transient=True,
    )
