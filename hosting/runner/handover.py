"""A runner's state, written down for itself: what goes over `execv` when it restarts in place.

It is a pickle, since exchanges, sessions and instances refer to each other and must do so again; it passes from a
process to itself through a nameless file in memory, and reading it makes nothing but the runner's own kinds of object.
What belongs to the process rather than to the state (tasks, timers, connections, the runtime) is left out by each
class's `__getstate__` and made anew by `adopt`.

`STATE` is raised when a class that is written down changes so that older state no longer fits it. A runner whose state
its new code can't read is told so by `rehearse`, before anything is stopped, and goes on as it is.
"""

from __future__ import annotations

import io
import os
import pickle
from dataclasses import dataclass
from typing import Any

from hosting.runner.egress.keeper import HandedOver
from hosting.runner.runner import Runner
from hosting.runner.runtimes.descriptors import memory_file
from hosting.runner.server import HeldOver
from hosting.runner.spill import Spilled
from hosting.runner.starter import Starter

STATE = 7
_OURS = "hosting.runner."
_OTHERS = frozenset(
    {
        ("builtins", "set"), ("builtins", "frozenset"), ("builtins", "bytearray"), ("builtins", "object"),
        ("collections", "OrderedDict"), ("collections", "deque"), ("copyreg", "_reconstructor"),
        ("copyreg", "__newobj__"), ("msgspec", "Raw"), ("msgspec._core", "Raw"), ("msgspec._core", "rebuild"),
        ("pathlib", "PosixPath"),
    }
)  # fmt: skip


class StateError(Exception):
    """The state can't be written down or read; the message is for the operator."""


@dataclass
class State:
    """All of a runner. `listeners` are the descriptors of its listening sockets, `inherited` all that it needs."""

    runner: Runner
    away: dict[str, HeldOver]
    runtime: object
    listeners: list[int]
    inherited: list[int]
    egress: HandedOver | None = None
    number: int = STATE


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> str | None:
        return "starter" if isinstance(obj, Starter) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, starter: Starter | None) -> None:
        super().__init__(file)
        self._starter = starter

    def persistent_load(self, pid: str) -> Starter | None:
        return self._starter

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith(_OURS) or (module, name) in _OTHERS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a runner's state")


def write(state: State) -> bytes:
    """Raises StateError."""
    file = io.BytesIO()
    try:
        _Pickler(file, protocol=5).dump(state)
    except Exception as error:
        raise StateError(f"the runner's state can't be written down: {error}") from error
    return file.getvalue()


def read(raw: bytes, starter: Starter | None) -> State:
    """Raises StateError."""
    try:
        state = _Unpickler(io.BytesIO(raw), starter).load()
    except Exception as error:
        raise StateError(f"the runner's state can't be read: {error}") from error
    if not isinstance(state, State) or state.number != STATE:
        raise StateError("the runner's state is that of another version: drain the runner and start it anew")
    return state


def spilled(runner: Runner) -> list[int]:
    """Descriptors of the large bodies that lie in files."""
    bodies = (event for log in runner.logs() for event in log.events.values() if isinstance(event, Spilled))
    return list({event.fd for event in bodies})


def keep(raw: bytes) -> int:
    """The state in a file in memory; its descriptor, which a child or our next self inherits."""
    fd = memory_file("slipway-runner", raw)
    os.set_inheritable(fd, True)
    return fd


def kept(fd: int) -> bytes:
    with os.fdopen(fd, "rb") as file:
        return file.read()
