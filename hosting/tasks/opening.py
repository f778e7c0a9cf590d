"""Opening a task's call at its runner: by the web process that accepted it, or by a job. Knows nothing of Django.

However often it is opened under its id, and by whomever, the tool runs once.
"""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

from hosting.runner.frames import EndRule
from hosting.stream.stream import Attachment, RunnerLink


class Called(Protocol):
    """What a task calls: its row, or what its client wanted. Raw JSON where a runner gets JSON."""

    @property
    def deployment_id(self) -> Any: ...
    @property
    def user_id(self) -> UUID | None: ...
    @property
    def exchange_owner(self) -> str: ...
    @property
    def params(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def capabilities(self) -> str: ...
    @property
    def client_info(self) -> str: ...


def random_part(task_id: str, attempt: int) -> str:
    """Of the exchange's id: two attempts never share one."""
    return f"task-{task_id}-{attempt}"


def call_open(
    link: RunnerLink,
    called: Called,
    *,
    task_id: str,
    attempt: int,
    epoch: int,
    generation: int,
    session: str,
    personal: str = "",
) -> Attachment:
    """The attachment is told nothing but a refusal: what the call does is read by jobs."""
    return link.open(
        deployment=str(called.deployment_id),
        epoch=epoch,
        generation=generation,
        owner=called.exchange_owner,
        method="tools/call",
        params=called.params.encode(),
        revision=called.revision,
        end=EndRule.KEEP,
        exchange=random_part(task_id, attempt),
        session=session,
        isolation=called.exchange_owner,
        subject=str(called.user_id or ""),
        capabilities=called.capabilities.encode(),
        client=called.client_info.encode(),
        wants_progress=True,
        log_level="info",  # of a modern call: its record has a log, which people read
        task=task_id,
        credit=0,
        personal=personal,
    )
