"""The runner, as its deployments see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hosting.runner.instance import Instance
    from hosting.runner.shares import Shares


class Host(Protocol):
    """What a deployment tells and asks it."""

    shares: Shares

    def instance_gone(self, instance: Instance) -> None: ...
    def stop_instance(self, instance: Instance, reason: str) -> None: ...

    def instances_of(self, owner: str) -> list[Instance]:
        """Those that are awake of all the owner's deployments."""
