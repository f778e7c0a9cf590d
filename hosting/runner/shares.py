"""An owner's share of this runner: how many instances of all the owner's deployments may be awake, and their memory.

The site hands the share out with each placement, from the owner's quota less what other runners were seen to run; here
it is kept exactly. Memory counts as it is allowed to an instance, not as it is used at this moment.
"""

from __future__ import annotations

from collections.abc import Sequence

from hosting.runner.control import Placement
from hosting.runner.instance import Instance


def too_many(placement: Placement, awake: Sequence[Instance]) -> str:
    """Why one more instance of `placement` is too many beside those of the same owner; "" when it isn't."""
    owner = placement.label.partition("/")[0]
    ask = f"An operator of this site can raise it: ./manage.py quota {owner}"
    if 0 <= placement.owner_instances <= len(awake):
        return (
            f"{owner} has {len(awake)} instances awake here of {placement.owner_instances} that are left to this "
            f"runner (quota: awake instances). {ask} --awake-instances"
        )
    memory = sum(memory_of(instance.placement) for instance in awake)
    if 0 <= placement.owner_memory_bytes < memory + memory_of(placement):
        used, most = (octets // 2**20 for octets in (memory, placement.owner_memory_bytes))
        return (
            f"The instances of {owner} that are awake here may use {used} MiB of {most} MiB that are left to this "
            f"runner (quota: memory of awake instances). {ask} --memory"
        )
    return ""


def memory_of(placement: Placement) -> int:
    """A remote server uses none of ours."""
    return 0 if placement.remote is not None else placement.limits.memory_bytes
