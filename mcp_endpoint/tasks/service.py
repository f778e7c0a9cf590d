"""The tasks of one web process's clients: rows by way of threads, and who waits for which."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from hosting.models.tasks import new_task_id
from hosting.runner.control import Answer
from hosting.tasks.accepting import Wanted
from hosting.tasks.opening import random_part
from hosting.tasks.states import State
from hosting.tasks.watching import Watches
from mcp_endpoint.directory import Directory
from mcp_endpoint.personal import words
from mcp_endpoint.tasks import records
from mcp_endpoint.tasks.source import LOOK_SECONDS, TaskSource
from mcp_endpoint.tasks.starts import Starts
from mcp_endpoint.tasks.wire import TaskSeen

if TYPE_CHECKING:
    from mcp_endpoint.context import Context

T = TypeVar("T")


class Tasks:
    """What `records` does, off the event loop; and waiting for what it will do next."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._watches = Watches()
        self._starts = Starts(directory)

    async def stop(self) -> None:
        await self._starts.stop()
        await self._watches.stop()

    async def create(self, context: Context, wanted: Wanted) -> TaskSeen:
        """Accepted once this returns, and handed to its runner; by a job where that can't be done here, and when a page
        has ended where its user lacks something."""
        route, runners = context.route, context.services.runners
        if context.asking is not None:
            return await self._in_thread(records.create_waiting, wanted, context.asking)
        link = runners.pool.link_now(route.runner_address)
        if link is None or route.is_personal:  # the job knows how to give an instance what its user brought
            return await self._in_thread(records.create, wanted)
        task_id = new_task_id()
        exchange = link.exchange_id(random_part(task_id, 1))
        task = await self._in_thread(records.create_starting, wanted, task_id, route.runner_address, exchange)
        if task.exchange:
            self._starts.open(link, wanted, task_id, route)
        return task

    async def get(self, context: Context, task_id: str, *, with_body: bool = False) -> TaskSeen:
        """Raises NotFound."""
        return await self._in_thread(
            records.get, context.principal.sub, context.route.deployment_id, task_id, with_body
        )

    async def cancel(self, context: Context, task_id: str) -> TaskSeen:
        """Raises NotFound and Conflict."""
        return await self._in_thread(records.cancel, context.principal.sub, context.route.deployment_id, task_id)

    async def page(self, context: Context, cursor: str) -> tuple[list[TaskSeen], str]:
        """Raises BadInput."""
        return await self._in_thread(records.page, context.principal.sub, context.route.deployment_id, cursor)

    async def of_call(self, wanted: Wanted, task_id: str, runner_address: str, exchange: str) -> TaskSeen:
        return await self._in_thread(records.create_of_call, wanted, task_id, runner_address, exchange)

    @asynccontextmanager
    async def follow(self, context: Context, task_id: str) -> AsyncIterator[TaskSource]:
        """The task as a Source, from what it is now on. Raises NotFound."""

        async def read() -> TaskSeen:
            return await self.get(context, task_id, with_body=True)

        async with self._watches.of(task_id) as changed:
            yield TaskSource(await read(), changed, read)

    @asynccontextmanager
    async def changes(self, task_id: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever the task, or the elicitation of that id, may have changed."""
        async with self._watches.of(task_id) as changed:
            yield changed

    async def ended(self, context: Context, task_id: str, seconds: float) -> TaskSeen:
        """The task once it has ended, or as it is after `seconds`. Raises NotFound."""
        await self.get(context, task_id)
        return await self._until(context, task_id, lambda task: task.is_ended, seconds)

    async def answers_seen(self, context: Context, task_id: str, keys: Collection[str], seconds: float) -> None:
        """Returns when the record has no open question of these keys any more, or after `seconds`. Raises NotFound."""
        await self._until(context, task_id, lambda task: task.questions.keys().isdisjoint(keys), seconds)

    async def _until(
        self, context: Context, task_id: str, is_so: Callable[[TaskSeen], bool], seconds: float
    ) -> TaskSeen:
        """The task once `is_so`, or as it is after `seconds`."""
        deadline = time.monotonic() + seconds
        async with self._watches.of(task_id) as changed:
            while True:
                task = await self.get(context, task_id, with_body=True)
                left = deadline - time.monotonic()
                if is_so(task) or left <= 0:
                    return task
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, LOOK_SECONDS)):
                        await changed.wait()
                changed.clear()

    async def has_person(self, wanted: Wanted) -> bool:
        """Whether somebody can sign in and answer."""
        return await self._in_thread(records.has_person, wanted.user_id)

    async def has_output_schema(self, version_id: str, tool: str) -> bool:
        return await self._in_thread(records.has_output_schema, version_id, tool)

    async def answer(
        self, context: Context, task: TaskSeen, key: str, *, result: bytes = b"", error: bytes = b""
    ) -> bool:
        """Answers one open question; False when it was answered already, or is none. Raises what a link raises."""
        if key not in task.asked:
            return False
        if task.state == State.LACKING:
            principal, deployment = context.principal.sub, context.route.deployment_id
            await self._in_thread(records.answer_waiting, principal, deployment, task.id, words.action_in(result))
            return True
        if not task.runner_address:
            return False
        link = await context.services.runners.pool.link(task.runner_address)
        by = context.principal.client_id[:200] or "a client"
        answer = Answer(owner=task.exchange_owner, key=key, exchange=task.exchange, result=result, error=error, by=by)
        return (await link.ask(answer)).first

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await self._directory.in_thread(work, *arguments)
