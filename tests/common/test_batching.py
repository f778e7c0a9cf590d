"""Many who ask at nearly the same time are answered together, and nobody by what was true before they asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection

import pytest

from common.batching import Batched


class Counted:
    """Answers with how many answers there were before. The first may be held back."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()
        self.may_go_on.set()
        self.batched = Batched(self.answer)

    def answer(self, keys: Collection[str]) -> dict[str, int]:
        self.asked.append(sorted(keys))
        self.has_begun.set()
        assert self.may_go_on.wait(10)
        if "bad" in keys:
            raise LookupError("bad")
        return {key: len(self.asked) for key in keys if key != "left out"}

    async def held(self) -> asyncio.Task[int]:
        """An asker whose answer is on its way."""
        self.may_go_on.clear()
        first = asyncio.create_task(self.batched("first"))
        assert await asyncio.to_thread(self.has_begun.wait, 10)
        return first


async def test_those_who_ask_at_once_are_answered_at_once() -> None:
    counted = Counted()
    assert await asyncio.gather(*(counted.batched(key) for key in ("a", "b", "a", "c"))) == [1, 1, 1, 1]
    assert counted.asked == [["a", "b", "c"]]


async def test_who_asks_while_an_answer_is_on_its_way_gets_the_next_one() -> None:
    counted = Counted()
    first = await counted.held()
    later = [asyncio.create_task(counted.batched(key)) for key in ("first", "second")]
    await asyncio.sleep(0)
    counted.may_go_on.set()
    assert (await first, await asyncio.gather(*later)) == (1, [2, 2])
    assert counted.asked == [["first"], ["first", "second"]]


async def test_one_who_goes_takes_nobody_along() -> None:
    counted = Counted()
    first = await counted.held()
    goes, stays = (asyncio.create_task(counted.batched("second")) for _ in range(2))
    await asyncio.sleep(0)
    goes.cancel()
    counted.may_go_on.set()
    assert (await first, await stays) == (1, 2)
    assert goes.cancelled()


async def test_what_goes_wrong_reaches_who_asked_with_it_and_nobody_after() -> None:
    counted = Counted()
    told = await asyncio.gather(counted.batched("a"), counted.batched("bad"), return_exceptions=True)
    assert [type(each) for each in told] == [LookupError, LookupError]
    assert await counted.batched("a") == 2


async def test_one_that_the_answer_leaves_out_is_told_so_and_keeps_nobody_else_waiting() -> None:
    counted = Counted()
    asking = (counted.batched(key) for key in ("a", "left out", "b"))
    async with asyncio.timeout(10):
        first, missing, last = await asyncio.gather(*asking, return_exceptions=True)
    assert (first, type(missing), last) == (1, KeyError, 1)


def test_each_event_loop_has_its_own() -> None:
    counted = Counted()

    async def left_behind() -> None:
        first = await counted.held()
        first.cancel()
        counted.may_go_on.set()

    asyncio.run(left_behind())
    with pytest.raises(LookupError):
        asyncio.run(_asked(counted, "bad"))
    assert asyncio.run(_asked(counted, "a")) == len(counted.asked)


async def _asked(counted: Counted, key: str) -> int:
    return await counted.batched(key)
