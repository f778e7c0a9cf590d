"""Queueing jobs by name, on commit: services know what must follow, not the jobs that do it (which know services)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from celery import current_app
from django.db import transaction


def build(version_id: UUID) -> None:
    _send("build_environment", str(version_id))


def inspect(deployment_id: UUID) -> None:
    """Ask the server for its tools, which also shows whether it starts."""
    _send("inspect_deployment", str(deployment_id))


def unplace(deployment_id: UUID, address: str, epoch: int, reason: str) -> None:
    """Have the runner at `address` let go of a placement up to `epoch`. The reconciler repeats what fails."""
    _send("unplace", str(deployment_id), address, epoch, reason)


def settle_waiting(deployment_id: UUID) -> None:
    """Look whether users whose calls wait lack anything still."""
    _send("settle_waiting", str(deployment_id))


def reconcile() -> None:
    _send("reconcile")


def start_task(task_id: str) -> None:
    _send("start_task", task_id)


def take_news(runner_name: str, again: bool) -> None:
    """Take what a runner's outbox has. The runner sends the same job by its name. `again`: see `tasks.news`."""
    _send("take_news", runner_name, again)


def advance_task(task_id: str) -> None:
    """Take what the runner's outbox has of one task."""
    _send("advance_task", task_id)


def sweep_tasks() -> None:
    """Look after tasks now, not when beat says so next."""
    _send("sweep_tasks")


def stop_task(task_id: str) -> None:
    _send("stop_task", task_id)


def stop_call(address: str, exchange: str, owner: str, task_id: str) -> None:
    """The same where the task's row goes away."""
    _send("stop_call", address, exchange, owner, task_id)


def tell_tasks(deployment_id: UUID, ended_at: datetime) -> None:
    """Tell whoever follows one of a deployment's tasks that were cancelled together."""
    _send("tell_tasks", str(deployment_id), ended_at.isoformat())


def tend_accounts() -> None:
    """Look after accounts of remote servers now, not when beat says so next."""
    _send("tend_accounts")


def _send(name: str, *arguments: object) -> None:
    # robust: the change is committed already, and the reconciler finds what was never queued.
    transaction.on_commit(lambda: current_app.send_task(f"hosting.jobs.{name}", args=arguments), robust=True)
