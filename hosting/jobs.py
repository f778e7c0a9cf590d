"""Celery jobs of hosting. Each may run twice, late, or beside itself; none holds a rule of its own."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import Any
from uuid import UUID

from celery import shared_task

from common.errors import NotFound, Unavailable
from hosting.building import builds
from hosting.credentials import eliciting, waiting
from hosting.fleet import reconciling
from hosting.looks import inspection
from hosting.remotes import care as account_care
from hosting.runner import control
from hosting.store import cleaning
from hosting.stream.links import runner_links
from hosting.stream.stream import DetachedError, RunnerUnavailableError
from hosting.tasks import ending, news, running, starting
from hosting.usage import egress_records

RETRY_SECONDS = 5
MAX_RETRIES = 24


@shared_task(ignore_result=True)
def build_environment(version_id: str) -> None:
    builds.version_build(UUID(version_id))


@shared_task(bind=True, ignore_result=True, max_retries=MAX_RETRIES)
def inspect_deployment(self: Any, deployment_id: str) -> None:
    try:
        inspection.deployment_inspect(UUID(deployment_id))
    except NotFound:
        return  # deleted meanwhile
    except (Unavailable, RunnerUnavailableError) as error:
        if isinstance(error, Unavailable) and error.code in ("stopped", "building"):
            return  # what comes next queues its own look
        raise self.retry(exc=error, countdown=RETRY_SECONDS) from error


@shared_task(ignore_result=True)
def unplace(deployment_id: str, address: str, epoch: int, reason: str) -> None:
    async def run() -> None:
        async with runner_links() as pool:
            await reconciling.tell(pool, address, control.Unplace(deployment_id, epoch, reason))

    asyncio.run(run())


@shared_task(ignore_result=True)
def reconcile() -> None:
    reconciling.reconcile()


# --- tasks: what fails here is found by the sweep, so nothing is retried but starts and stops


@shared_task(bind=True, ignore_result=True, max_retries=MAX_RETRIES)
def start_task(self: Any, task_id: str) -> None:
    try:
        starting.task_start(task_id)
    except (Unavailable, RunnerUnavailableError) as error:
        raise self.retry(exc=error, countdown=1) from error


@shared_task(ignore_result=True)
def take_news(runner_name: str, again: bool = False) -> None:
    with contextlib.suppress(RunnerUnavailableError, DetachedError):
        news.news_take(runner_name, again=again)


@shared_task(ignore_result=True)
def advance_task(task_id: str) -> None:
    with contextlib.suppress(RunnerUnavailableError, DetachedError):
        running.task_advance(task_id)


@shared_task(bind=True, ignore_result=True, max_retries=MAX_RETRIES)
def stop_task(self: Any, task_id: str) -> None:
    with contextlib.suppress(DetachedError):
        try:
            running.task_stop(task_id)
        except RunnerUnavailableError as error:
            raise self.retry(exc=error, countdown=RETRY_SECONDS) from error


@shared_task(bind=True, ignore_result=True, max_retries=MAX_RETRIES)
def stop_call(self: Any, address: str, exchange: str, owner: str, task_id: str) -> None:
    with contextlib.suppress(DetachedError):
        try:
            running.call_stop(address, exchange, owner, task_id, "The account of its user was deleted.")
        except RunnerUnavailableError as error:
            raise self.retry(exc=error, countdown=RETRY_SECONDS) from error


@shared_task(ignore_result=True)
def tell_tasks(deployment_id: str, ended_at: str) -> None:
    ending.tasks_tell_of(UUID(deployment_id), datetime.fromisoformat(ended_at))


@shared_task(ignore_result=True)
def sweep_tasks() -> None:
    eliciting.elicitations_expire()
    running.sweep()


@shared_task(ignore_result=True)
def settle_waiting(deployment_id: str) -> None:
    waiting.waiting_settle(UUID(deployment_id))


@shared_task(ignore_result=True)
def collect_egress() -> None:
    egress_records.egress_collect()


@shared_task(ignore_result=True)
def tend_accounts() -> None:
    account_care.accounts_tend()


@shared_task(ignore_result=True)
def purge() -> None:
    cleaning.purge()
