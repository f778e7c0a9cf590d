"""Being told of tasks by the real layer, in a process that also has live pages open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers

from events.types import ALL_TASKS, TasksChanged, to_message
from hosting.tasks.watching import Watches, stopped


@pytest.fixture
async def layer() -> AsyncIterator[Any]:
    """Of this test's own: readers of the process's one belong to loops of other tests."""
    found: Any = channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)
    yield found
    await found.close_pools()


async def test_news_comes_while_an_idle_page_listens_too(layer: Any) -> None:
    page = asyncio.create_task(layer.receive(await layer.new_channel()))
    await asyncio.sleep(0.2)  # it is the one that reads from Valkey now
    watches = Watches(layer)
    try:
        async with watches.of("t1") as changed, asyncio.timeout(4):
            await layer.group_send(ALL_TASKS, to_message(TasksChanged(ALL_TASKS, ["t1"])))
            await changed.wait()
    finally:
        await watches.stop()
        await stopped([page])
