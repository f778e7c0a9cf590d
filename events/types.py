"""The events that pages and other processes may follow. Values, not wire text: each process renders its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


def deployment_group(deployment_id: object) -> str:
    """The Channels group of everything that happens to one deployment."""
    return f"deployment.{deployment_id}"


def task_group(task_id: object) -> str:
    """The Channels group of everything that happens to one task."""
    return f"task.{task_id}"


def tasks_group(user_id: object) -> str:
    """The Channels group of everything that happens to one user's tasks."""
    return f"tasks.{user_id}"


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
    """A task's state, progress, questions or log may be others now; look again. `user_id` is "" for nobody's."""

    name: ClassVar[str] = "task:changed"
    task_id: str
    user_id: str = ""

    @property
    def groups(self) -> tuple[str, ...]:
        of_task = task_group(self.task_id)
        return (of_task, tasks_group(self.user_id)) if self.user_id else (of_task,)


@dataclass(frozen=True)
class ServerTakenDown:
    """A server of the registry was taken down; what is hosted from it stops."""

    name: ClassVar[str] = "server:taken_down"
    server: str

    @property
    def groups(self) -> tuple[str, ...]:
        return ("registry",)


Event = DeploymentChanged | BuildProgress | TaskChanged | ServerTakenDown
_CLASSES: dict[str, type[Event]] = {
    cls.name: cls for cls in (DeploymentChanged, BuildProgress, TaskChanged, ServerTakenDown)
}


def to_message(event: Event) -> dict[str, Any]:
    """The message of the channel layer, handled by `event_received` of a consumer."""
    return {"type": "event.received", "event": event.name, "data": asdict(event)}


def from_message(message: dict[str, Any]) -> Event | None:
    """None for an event that this process doesn't know, which a newer process of the site may send."""
    cls = _CLASSES.get(message.get("event", ""))
    return cls(**message["data"]) if cls else None
