"""The events that pages and other processes may follow. Values, not wire text: each process renders its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


def deployment_group(deployment_id: object) -> str:
    """The Channels group of everything that happens to one deployment."""
    return f"deployment.{deployment_id}"


ALL_TASKS = "tasks"
"""The Channels group of everything that happens to tasks, and to pages that calls wait for: each process that waits for
some is in it once."""


def tasks_group(user_id: object) -> str:
    """The Channels group of everything that happens to one user's tasks."""
    return f"tasks.{user_id}"


def waiting_group(user_id: object) -> str:
    """The Channels group of what begins and ceases to wait for one user, tasks aside."""
    return f"waiting.{user_id}"


@dataclass(frozen=True)
class DeploymentChanged:
    """Its state, version, access or tools may be others now; look again."""

    name: ClassVar[str] = "deployment:changed"
    deployment_id: str

    @property
    def groups(self) -> tuple[str, ...]:
        return (deployment_group(self.deployment_id),)


@dataclass(frozen=True)
class BuildProgress:
    """How an environment's build goes: a sentence, and how much of it is done (0 to 1) where that is known."""

    name: ClassVar[str] = "deployment:build"
    deployment_id: str
    text: str
    fraction: float | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        return (deployment_group(self.deployment_id),)


@dataclass(frozen=True)
class TaskChanged:
    """A task's state, progress, questions or log may be others now; look again. `user_id` is "" for nobody's.

    `is_new`: nobody can have waited for it. Followers are told of several at once, by a TasksChanged.
    """

    name: ClassVar[str] = "task:changed"
    task_id: str
    user_id: str = ""
    is_new: bool = False

    @property
    def groups(self) -> tuple[str, ...]:
        of_all = () if self.is_new else (ALL_TASKS,)
        return (*of_all, tasks_group(self.user_id)) if self.user_id else of_all


@dataclass(frozen=True)
class TasksChanged:
    """The same of all these tasks, as far as they concern one group."""

    name: ClassVar[str] = "tasks:changed"
    group: str
    task_ids: list[str]

    @property
    def groups(self) -> tuple[str, ...]:
        return (self.group,)


@dataclass(frozen=True)
class WaitingChanged:
    """Something waits for this user now, or waits no more: a page that asks for credentials. Look again."""

    name: ClassVar[str] = "waiting:changed"
    user_id: str

    @property
    def groups(self) -> tuple[str, ...]:
        return (waiting_group(self.user_id),)


@dataclass(frozen=True)
class ElicitationChanged:
    """A page that calls may wait for was made, or has ended; look again."""

    name: ClassVar[str] = "elicitation:changed"
    elicitation_id: str

    @property
    def groups(self) -> tuple[str, ...]:
        return (ALL_TASKS,)


@dataclass(frozen=True)
class ServerTakenDown:
    """A server of the registry was taken down; what is hosted from it stops."""

    name: ClassVar[str] = "server:taken_down"
    server: str

    @property
    def groups(self) -> tuple[str, ...]:
        return ("registry",)


Event = (
    DeploymentChanged
    | BuildProgress
    | TaskChanged
    | TasksChanged
    | WaitingChanged
    | ElicitationChanged
    | ServerTakenDown
)
_CLASSES: dict[str, type[Event]] = {
    cls.name: cls
    for cls in (
        DeploymentChanged,
        BuildProgress,
        TaskChanged,
        TasksChanged,
        WaitingChanged,
        ElicitationChanged,
        ServerTakenDown,
    )
}


def gathered(events: Iterable[Event]) -> list[Event]:
    """The same news in as few events as can be: what happened to tasks is one for each group."""
    found: list[Event] = []
    tasks: dict[str, dict[str, None]] = {}
    for event in events:
        if isinstance(event, TaskChanged):
            for group in event.groups:
                tasks.setdefault(group, {})[event.task_id] = None
        else:
            found.append(event)
    return [*found, *(TasksChanged(group, list(ids)) for group, ids in tasks.items())]


def to_message(event: Event) -> dict[str, Any]:
    """The message of the channel layer, handled by `event_received` of a consumer."""
    return {"type": "event.received", "event": event.name, "data": asdict(event)}


def from_message(message: dict[str, Any]) -> Event | None:
    """None for an event that this process doesn't know, which a newer process of the site may send."""
    cls = _CLASSES.get(message.get("event", ""))
    return cls(**message["data"]) if cls else None
