"""A task in the words of its pages: state, client, times. Pure, but for the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from django.utils.translation import gettext, gettext_lazy

from common import clock
from hosting.models import Task
from hosting.tasks.pace import Pace, pace_of
from hosting.tasks.states import Outcome, State

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_decode = msgspec.json.Decoder().decode

LABELS: dict[str, StrOrPromise] = {
    State.ACCEPTED: gettext_lazy("Waiting"),
    State.LACKING: gettext_lazy("Waits for your credentials"),
    State.STARTING: gettext_lazy("Starting"),
    State.WORKING: gettext_lazy("Working"),
    State.INPUT_REQUIRED: gettext_lazy("Needs an answer"),
    Outcome.RESULT: gettext_lazy("Done"),
    Outcome.TOOL_ERROR: gettext_lazy("Tool error"),
    Outcome.ERROR: gettext_lazy("Failed"),
    Outcome.CANCELLED: gettext_lazy("Cancelled"),
    Outcome.LOST: gettext_lazy("Lost"),
}
FILTERS = [
    ("working", gettext_lazy("Working")),
    ("input_required", gettext_lazy("Needs an answer")),
    ("done", gettext_lazy("Done")),
    ("failed", gettext_lazy("Failed")),
    ("cancelled", gettext_lazy("Cancelled")),
]
_SAYS_NOTHING = frozenset({"", "running", "starting", "waits for its start"})


def label_of(state: str, outcome: str) -> str:
    return str(LABELS.get(outcome if state == State.ENDED else state, state))


@dataclass(frozen=True)
class TaskShown:
    """What list and page say of one task."""

    task: Task
    label: str
    mark: str  # which badge: a state, or the outcome of what has ended
    pace: Pace
    seconds: float  # that it has taken so far, or took
    since: datetime | None  # from when on a page may count on by itself
    client: str
    reason: str

    @property
    def is_ended(self) -> bool:
        return self.task.state == State.ENDED

    @property
    def shows_progress(self) -> bool:
        """A bar that is full, or of which nothing is known while somebody is asked, tells nothing."""
        if self.pace.fraction is None:
            return not self.is_ended and self.mark not in (State.INPUT_REQUIRED, State.LACKING)
        return not self.is_ended or (self.pace.fraction < 1 and self.mark != Outcome.RESULT)

    @property
    def percent(self) -> int | None:
        return None if self.pace.fraction is None else int(self.pace.fraction * 100)


def shown(task: Task, names: Mapping[str, str]) -> TaskShown:
    """`names` are those of OAuth clients by their ids (oauth.selectors.client_names)."""
    now = clock.now()
    began = task.started_at or task.created_at
    return TaskShown(
        task=task,
        label=label_of(task.state, task.outcome),
        mark=task.outcome if task.is_ended else task.state,
        pace=pace_of(task.samples, task.progress, now.timestamp()),
        seconds=max(0.0, ((task.ended_at or now) - began).total_seconds()),
        since=None if task.is_ended else began,
        client=client_of(task, names),
        reason="" if task.reason in _SAYS_NOTHING else task.reason,
    )


def client_of(task: Task, names: Mapping[str, str]) -> str:
    """From where it was asked for: the client's own name and version, or what it is registered as (`names`, by id)."""
    if task.origin == Task.Origin.PAGE:
        return gettext("this site")
    try:
        info = _decode(task.client_info.encode()) if task.client_info else None
    except (msgspec.DecodeError, UnicodeEncodeError):
        info = None
    if isinstance(info, dict) and info.get("name"):
        name = str(info.get("title") or info["name"])[:100]
        return f"{name} {str(info.get('version') or '')[:40]}".strip()
    return names.get(task.client, task.client)
