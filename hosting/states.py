"""The states of a deployment and the moves between them. Pure: `services.deployment_move` applies it in one UPDATE.

    queued → building → ready ⇄ starting → running        failed, stopped and deleting from anywhere

`ready` is shown as "asleep": built, and started by the first call.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy


class State(models.TextChoices):
    QUEUED = "queued", gettext_lazy("Queued")
    BUILDING = "building", gettext_lazy("Building")
    READY = "ready", gettext_lazy("Asleep")
    STARTING = "starting", gettext_lazy("Starting")
    RUNNING = "running", gettext_lazy("Running")
    FAILED = "failed", gettext_lazy("Failed")
    STOPPED = "stopped", gettext_lazy("Stopped")
    DELETING = "deleting", gettext_lazy("Being deleted")


_S = State

TO: dict[State, frozenset[State]] = {
    _S.QUEUED: frozenset({_S.BUILDING, _S.READY, _S.FAILED, _S.STOPPED, _S.DELETING}),
    _S.BUILDING: frozenset({_S.QUEUED, _S.READY, _S.FAILED, _S.STOPPED, _S.DELETING}),
    _S.READY: frozenset({_S.QUEUED, _S.STARTING, _S.RUNNING, _S.FAILED, _S.STOPPED, _S.DELETING}),
    _S.STARTING: frozenset({_S.QUEUED, _S.READY, _S.RUNNING, _S.FAILED, _S.STOPPED, _S.DELETING}),
    _S.RUNNING: frozenset({_S.QUEUED, _S.READY, _S.STARTING, _S.FAILED, _S.STOPPED, _S.DELETING}),
    _S.FAILED: frozenset({_S.QUEUED, _S.READY, _S.STARTING, _S.RUNNING, _S.STOPPED, _S.DELETING}),
    _S.STOPPED: frozenset({_S.QUEUED, _S.READY, _S.DELETING}),
    _S.DELETING: frozenset(),
}

# In these a call may be placed: the environment is there and nobody said stop. While another version is queued or
# built, the present one goes on serving (`routing.Route.is_callable`).
CALLABLE = frozenset({_S.READY, _S.STARTING, _S.RUNNING, _S.FAILED})
# What the reconciler sees at runners, as opposed to what people and builds decide.
SEEN = frozenset({_S.READY, _S.STARTING, _S.RUNNING, _S.FAILED})


def sources(to: State) -> frozenset[State]:
    """The states from which `to` may be entered."""
    return frozenset(state for state, targets in TO.items() if to in targets)
