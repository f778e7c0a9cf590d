"""Where a server's calls go, remembered for a moment: a hundred tasks that start together look it up once.

What is remembered may be a moment too old, as a web process's route may be: the runner says so, and who was told
forgets it and tries again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from hosting.fleet.placing import placement_ensure
from hosting.models import Deployment, Runner
from hosting.routing import placement_for
from hosting.runner.placement import Placement

FRESH_SECONDS: Final = 1.0
MOST: Final = 1000


@dataclass(frozen=True)
class Place:
    runner: Runner
    placement: Placement
    until: float  # time.monotonic()
    is_personal: bool = False  # each user brings something (hosting.credentials.personal)

    @property
    def address(self) -> str:
        return self.runner.address


_known: dict[UUID, Place] = {}
_runners: dict[str, tuple[UUID, float]] = {}  # address -> (key, time.monotonic() until which that is good)


def place_of(deployment_id: UUID) -> Place:
    """Raises NotFound, Unavailable and Conflict, as `placement_for` does."""
    found = _known.get(deployment_id)
    if found is not None and time.monotonic() < found.until:
        return found
    placement_ensure(deployment_id)
    address, placement = placement_for(deployment_id)
    if len(_known) >= MOST:
        _known.clear()
    is_personal = Deployment.objects.filter(pk=deployment_id).exclude(personal_inputs=[]).exists()
    found = Place(Runner.objects.get(address=address), placement, time.monotonic() + FRESH_SECONDS, is_personal)
    _known[deployment_id] = found
    return found


def place_forget(deployment_id: UUID) -> None:
    _known.pop(deployment_id, None)


def runner_at(address: str) -> UUID | None:
    """The key of the runner with this address."""
    found = _runners.get(address)
    if found is not None and time.monotonic() < found[1]:
        return found[0]
    key = Runner.objects.filter(address=address).values_list("pk", flat=True).first()
    if key is not None:
        _runners[address] = key, time.monotonic() + FRESH_SECONDS
    return key
