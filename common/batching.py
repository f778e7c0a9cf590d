"""One question of many askers: what is asked while an answer is on its way is answered together afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Generic, TypeVar

from channels.db import database_sync_to_async

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Batched(Generic[Key, Value]):
    """`await batched(key)` is `answer([key])[key]`, with one hop to a thread for all that are asked at nearly the same
    time. `answer` runs in a thread and begins after the question: nobody is told what was true before they asked.

    It gives each key that it is asked for; who asked with one that it leaves out gets a KeyError."""

    def __init__(self, answer: Callable[[Collection[Key]], Mapping[Key, Value]]) -> None:
        self._answer = answer
        self._asked: dict[Key, asyncio.Future[Value]] = {}
        self._answering: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, key: Key) -> Value:
        """Raises what `answer` raises, to all who asked with this one."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # a process has one; tests have one after the other
            self._loop, self._asked, self._answering = loop, {}, None
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = loop.create_future()
        if self._answering is None or self._answering.done():
            self._answering = loop.create_task(self._answer_all())
        return await asyncio.shield(asked)  # one who goes takes nobody else along

    async def _answer_all(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                found: Mapping[Key, Value] = await database_sync_to_async(self._answer)(list(asked))
            except Exception as error:  # noqa: BLE001 - it is theirs who asked
                for future in asked.values():
                    future.set_exception(error)
                continue
            for key, future in asked.items():
                try:
                    future.set_result(found[key])
                except KeyError as error:  # this one is told so too: nobody else would
                    future.set_exception(error)
