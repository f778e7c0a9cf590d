"""The seam between a runner and whatever keeps a hosted server in its box: three verbs and the values they take.

asyncio on Linux; nothing here starts a process. Descriptors and process ids are plain ints, so that a runner can hand
them to itself over `execv`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from hosting.runner.placement import Egress, Limits


class LaunchFailed(Exception):  # noqa: N818 - the outcome of a start, as the runner's callers name it
    """An instance could not be started. The text says why, and what to do where that is known."""


class SandboxUnavailable(RuntimeError):  # noqa: N818
    """This machine can't run instances in the wanted way. The text is for the operator."""


@dataclass(frozen=True)
class LaunchSpec:
    """One instance to start. `argv[0]` is an absolute path, or a name found in the environment's PATH."""

    instance: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    read_only: Sequence[str] = ()  # absolute paths that the instance may read, at the same place
    limits: Limits = Limits()
    home: Path | None = None  # a folder to be its writable home; None: an empty one that goes with it
    writable: Sequence[str] = ()  # existing folders that it may write to, at the same place; they become its user's
    cwd: str = ""  # where it starts; "": in its home
    deployment: str = ""  # whose instance this is
    egress: Egress = Egress()
    # Variable → content of a file of mode 600 that it is to name. The file is the instance's own and goes with it.
    files: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Raises LaunchFailed."""
        for name in self.files:
            if not name.isidentifier():
                raise LaunchFailed(f"{name!r} can't be the name of a file's variable")


@dataclass(frozen=True)
class Exit:
    """How an instance ended. A signal that ended it is in `signal`, and `code` is then 128 + signal."""

    code: int
    signal: int
    reason: str


@dataclass(frozen=True)
class Usage:
    """What an instance and everything it started use now. `limit_events` are sentences, each said once."""

    memory_bytes: int
    processes: int
    cpu_seconds: float
    limit_events: list[str]


@dataclass(frozen=True)
class Verdict:
    """Whether this machine can run instances this way, in words for the operator."""

    is_able: bool
    words: str


class Process(Protocol):
    """A started instance. The three descriptors are non-blocking; stop reading them before `close`."""

    pid: int
    stdin: int  # -1 once closed
    stdout: int
    stderr: int

    async def wait(self) -> Exit:
        """The end of the instance and of all that it started; what it wrote may still be read afterwards."""

    def poll(self) -> Exit | None:
        """None while alive."""

    async def stop(self, grace_seconds: float) -> Exit:
        """End of input, then SIGTERM, then SIGKILL for everything inside when the grace is over. Repeatable."""

    def usage(self) -> Usage:
        """All zero once it has ended, save for `limit_events`."""

    def close(self) -> None:
        """Give the descriptors back. Only after the end; repeatable."""


class Doorway(Protocol):
    """Lets instances out of their empty network, as far as their `egress` says. See hosting/runner/egress."""

    async def open(self, spec: LaunchSpec, pid: int) -> None:
        """Before the server in `pid` begins. Raises LaunchFailed."""

    def shut(self, instance: str) -> None:
        """Repeatable."""


@dataclass(frozen=True)
class Handed:
    """What a runtime hands to itself over `execv`: a picklable state, and the descriptors it names by number."""

    state: object
    descriptors: Sequence[int]


class Runtime(Protocol):
    """What keeps instances in their box. Its contract, which `tests/runner/runtimes/test_contract.py` tries on each:

    - An instance gets its three pipes and nothing else of ours: no descriptor, no environment, no working folder.
    - Its secret files are in no folder that outlives it, and only it can read them.
    - `start` returns before the server has said anything. When it raises, or is cancelled, nothing is left behind.
    - Nothing that an instance started outlives it, whatever it does, nor does it outlive us, however we end.
    - Its end is told once, with the exit code or signal, or the limit that ended it, in words; what it wrote before can
      still be read then. Ending it takes no longer than the grace given.
    - A limit that was reached is said by name, also where the instance goes on.
    - Pipes never block us, and whoever closes its end is seen to have closed it.
    - Processes are ours for as long as this process lives, `execv` included: all state is plain values and descriptors.
    """

    async def start(self, spec: LaunchSpec) -> Process:
        """Raises LaunchFailed. Call it on the main thread: instances die with the thread that started them."""

    async def check(self) -> Verdict:
        """Try it with a real instance of nothing."""

    def hand_over(self) -> Handed:
        """All living instances, while no `start` is under way. Changes nothing, so that it may also come to nothing."""

    def take_over(self, state: object) -> dict[int, Process]:
        """In the same process after `execv`, on the main thread, with a loop running: the instances by pid. One that
        ended in between is among them and says so."""

    def close(self) -> None:
        """Give back what outlives instances. Only after the last one has ended."""
