"""Owners' shares of this runner: how many instances of all an owner's deployments may be awake, and their memory.

The site hands a share out with each placement and changes it by SetShare, later ones by a higher serial. All shares of
an owner together are the quota at most (hosting/fleet/owner_shares.py), so what is kept exactly here holds everywhere.
Memory counts as it is allowed to an instance, not as it is used at this moment.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from hosting.runner.control import SetShare
from hosting.runner.instance import Instance
from hosting.runner.placement import Placement
from hosting.runner.seen import Held

SHORT_SECONDS = 10.0  # how long a refusal counts as a wish for more


@dataclass(frozen=True)
class Share:
    """-1: no limit."""

    instances: int
    memory_bytes: int
    serial: int = 0


@dataclass
class Shares:
    """Those that came with a serial, by owner."""

    _known: dict[str, Share] = field(default_factory=dict)
    _short: dict[str, float] = field(default_factory=dict)

    def of(self, placement: Placement) -> Share:
        """What holds for one more instance of this placement."""
        own = Share(placement.owner_instances, placement.owner_memory_bytes)
        return self._known.get(placement.owner, own)

    def placed(self, placement: Placement) -> None:
        """A placement has brought a share."""
        share = Share(placement.owner_instances, placement.owner_memory_bytes, placement.share_serial)
        self._take(placement.owner, share)

    def set(self, asked: SetShare, awake: Sequence[Instance]) -> Held:
        """What is kept to from now on: what was asked for, but never less than what is awake already."""
        memory = sum(memory_of(one.placement) for one in awake)
        share = Share(max(asked.instances, len(awake)), max(asked.memory_bytes, memory), asked.serial)
        self._take(asked.owner, share)
        known = self._known[asked.owner]
        return Held(known.instances, known.memory_bytes, known.serial)

    def fell_short(self, owner: str) -> None:
        self._short[owner] = time.monotonic()

    def short(self) -> list[str]:
        """Owners who wanted more than their share just now."""
        since = time.monotonic() - SHORT_SECONDS
        self._short = {owner: at for owner, at in self._short.items() if at > since}
        return sorted(self._short)

    def _take(self, owner: str, share: Share) -> None:
        known = self._known.get(owner)
        if share.serial and (known is None or share.serial > known.serial):
            self._known[owner] = share
            self._short.pop(owner, None)


def too_many(placement: Placement, share: Share, awake: Sequence[Instance]) -> str:
    """Why one more instance of `placement` is too many beside those of the same owner; "" when it isn't."""
    owner = placement.label.partition("/")[0]
    ask = f"An operator of this site can raise it: ./manage.py quota {owner}"
    if 0 <= share.instances <= len(awake):
        return (
            f"{owner} has {len(awake)} instances awake here of {share.instances} that are left to this "
            f"runner (quota: awake instances). {ask} --awake-instances"
        )
    memory = sum(memory_of(instance.placement) for instance in awake)
    if 0 <= share.memory_bytes < memory + memory_of(placement):
        used, most = (octets // 2**20 for octets in (memory, share.memory_bytes))
        return (
            f"The instances of {owner} that are awake here may use {used} MiB of {most} MiB that are left to this "
            f"runner (quota: memory of awake instances). {ask} --memory"
        )
    return ""


def memory_of(placement: Placement) -> int:
    """A remote server uses none of ours."""
    return 0 if placement.remote is not None else placement.limits.memory_bytes
