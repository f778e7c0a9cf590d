"""Being told of tasks by the real layer, in a process that also has live pages open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.layers import get_channel_layer

from events.types import ALL_TASKS, TasksChanged, to_message
from hosting.tasks.watching import Watches


@pytest.fixture
async def layer() -> AsyncIterator[Any]:
    found: Any = get_channel_layer()
    yield found
    await found.close_pools()


async def test_news_comes_while_an_idle_page_listens_too(layer: Any) -> None:
    page = asyncio.create_task(layer.receive(await layer.new_channel()))
    await asyncio.sleep(0.2)  # it is the one that reads from Valkey now
    watches = Watches()
    try:
        async with watches.of("t1") as changed, asyncio.timeout(4):
            await layer.group_send(ALL_TASKS, to_message(TasksChanged(ALL_TASKS, ["t1"])))
            await changed.wait()
    finally:
        await watches.stop()
        page.cancel()
        await asyncio.gather(page, return_exceptions=True)
