"""A user id of its own for each instance, when the runner is root, with a user namespace that knows only that id.

With ids of their own, instances can't signal or count against each other even if a namespace failed to part them, and
what one leaves behind nobody else may read. An ordinary user has one id; bubblewrap makes the namespace then.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hosting.runner.runtimes.descriptors import Pipes, close_all, spawn

INSIDE = 1000  # the id that an instance sees itself as
# systemd names 1879048192 to 2147483647 as free (UIDS-GIDS.md); a runner takes a block of it at random.
_FIRST, _LAST, BLOCK = 1_879_048_192, 2_147_483_647, 4096


@dataclass(frozen=True)
class Identity:
    """`namespace` is a descriptor of a user namespace that maps only INSIDE to `uid`; -1 where none can be made."""

    uid: int
    namespace: int


@dataclass(frozen=True)
class Held:
    """All ids and namespaces over `execv`."""

    base: int
    size: int
    used: int
    free: list[int]
    namespaces: dict[int, int]


class Identities:
    """Hands out ids. A namespace outlives the instance that used it, for the next holder of the same id."""

    def __init__(self, unshare: str, *, is_builder: bool = False) -> None:
        """`is_builder`: the one id that is the same in every process, so that what it keeps stays its own."""
        self._unshare = unshare
        builder, self._base, self._size = _block()
        if is_builder:
            self._base, self._size = builder, 1
        self._namespaces: dict[int, int] = {}
        self._free: list[int] = []
        self._used = 0

    def take(self) -> Identity:
        """Raises OSError when all are in use."""
        if self._free:
            uid = self._free.pop()
        elif self._used < self._size:
            uid = self._base + self._used
            self._used += 1
        else:
            raise OSError(f"all {self._size} user ids of this runner are in use")
        if uid not in self._namespaces:
            self._namespaces[uid] = self._make(uid)
        return Identity(uid, self._namespaces[uid])

    def give_back(self, identity: Identity) -> None:
        self._free.append(identity.uid)

    def hand_over(self) -> Held:
        return Held(self._base, self._size, self._used, list(self._free), dict(self._namespaces))

    def take_over(self, held: Held) -> None:
        self._base, self._size, self._used = held.base, held.size, held.used
        self._free, self._namespaces = held.free, held.namespaces

    def close(self) -> None:
        close_all(self._namespaces.values())
        self._namespaces.clear()

    def _make(self, uid: int) -> int:
        """A process that has just unshared waits, echoing, while its namespace is mapped and opened from outside."""
        if not self._unshare:
            return -1
        pipes = Pipes()
        pid = 0
        try:
            pid = spawn(
                [self._unshare, "--user", "--", "cat"], {"PATH": "/usr/bin:/bin"}, dict(enumerate(pipes.theirs))
            )
            pipes.handed_over()
            os.set_blocking(pipes.ours[1], True)
            os.write(pipes.ours[0], b".")
            if not os.read(pipes.ours[1], 1):
                return -1  # user namespaces are off
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{pid}/{name}").write_text(f"{INSIDE} {uid} 1")
            return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return -1
        finally:
            pipes.close()
            if pid:
                with suppress(OSError):
                    os.waitpid(pid, 0)


def _block() -> tuple[int, int, int]:
    """(the builder's id, first id of a block of one's own, how many). Inside a container only some ids exist: the upper
    end of those is taken then."""
    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    first, _, count = max(ranges, key=lambda entry: entry[2])
    if first <= _FIRST and first + count > _LAST:
        return _FIRST, _FIRST + BLOCK * (1 + secrets.randbelow((_LAST - _FIRST) // BLOCK - 1)), BLOCK
    size = min(BLOCK, max(1, count // 4))
    base = first + count - size - 2  # the last ones are nobody's
    return base - 1, base, size
