"""When workers are called for news of tasks: at once, then for what gathers, and again when one is lost."""

from __future__ import annotations

import asyncio

import pytest

from hosting.runner import bell
from hosting.runner.bell import Bell


class Worker:
    def __init__(self) -> None:
        self.calls = 0
        self.called = asyncio.Event()
        self.bell = Bell(self._ring)

    def _ring(self) -> None:
        self.calls += 1
        self.called.set()

    async def next(self) -> None:
        async with asyncio.timeout(60):
            await self.called.wait()
        self.called.clear()


async def test_the_first_news_calls_at_once_and_what_follows_is_gathered() -> None:
    worker = Worker()
    worker.bell.news()
    assert worker.calls == 1
    await worker.next()
    worker.bell.asked(is_more=True)
    worker.bell.asked(is_more=False)
    for _ in range(10):
        worker.bell.news()
    assert worker.calls == 1
    await worker.next()
    assert worker.calls == 2


async def test_nobody_is_called_while_one_is_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "GATHER_SECONDS", 0.0)
    worker = Worker()
    worker.bell.news()
    worker.bell.asked(is_more=True)
    worker.bell.news()
    await asyncio.sleep(0.01)
    assert worker.calls == 1
    worker.bell.asked(is_more=False)  # it has that, too
    worker.bell.news()
    assert worker.calls == 2


async def test_another_one_is_called_when_the_first_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "UNHEARD_SECONDS", 0.02)
    worker = Worker()
    worker.bell.news()
    await worker.next()
    worker.bell.news()
    await worker.next()
    assert worker.calls == 2
