"""What a loop says is heard on the thread of who waits for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from hosting.kinds.relayed import Relay


@pytest.fixture
def relay() -> Iterator[Relay]:
    relay = Relay()
    yield relay
    relay.close()


def test_heard_in_order_on_the_callers_thread(relay: Relay) -> None:
    heard: list[tuple[str, int]] = []

    async def work() -> str:
        for text in ("one", "two", "three"):
            relay.say(lambda line: heard.append((line, threading.get_ident())), text)
            await asyncio.sleep(0)
        return "done"

    assert relay.run(work()) == "done"
    assert heard == [(text, threading.get_ident()) for text in ("one", "two", "three")]


def test_its_errors_are_the_callers(relay: Relay) -> None:
    async def work() -> None:
        raise LookupError("no such tool")

    with pytest.raises(LookupError, match="no such tool"):
        relay.run(work())


def test_who_stops_listening_ends_the_work_and_waits_for_its_end(relay: Relay) -> None:
    ended = []

    async def work() -> None:
        relay.say(interrupt, "one")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        relay.run(work())
    assert ended == [True]

    async def more() -> str:
        return "usable"

    assert relay.run(more()) == "usable"
