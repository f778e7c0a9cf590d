"""The thread that hands events to the channel layer: whoever changes something does not wait for that.

The layer keeps its connections by event loop. One loop that lives as long as its process needs one of them; a loop for
each event would open and close one each time.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from typing import Any, Final

import structlog
from channels.layers import get_channel_layer

from events.types import Event, gathered, to_message

log = structlog.get_logger(__name__)
WAITING: Final = 10_000  # events; more than these are dropped, since whoever follows looks again by itself
EXIT_SECONDS: Final = 2.0
GATHER_SECONDS: Final = 0.05


class Sender:
    """Events leave at once after a quiet moment, else together with what gathers for as long; those of tasks last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: asyncio.Queue[Event] = asyncio.Queue()

    def put(self, event: Event) -> None:
        with self._lock:
            if self._pid != os.getpid():  # the child of a fork has no thread
                self._start()
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._take, event)

    def idle(self, seconds: float) -> bool:
        """Whether all that was put has been sent, within so long."""
        if self._pid != os.getpid() or self._loop is None:
            return True
        sent = asyncio.run_coroutine_threadsafe(self._queue.join(), self._loop)
        try:
            sent.result(seconds)
        except TimeoutError:
            return False
        return True

    def _start(self) -> None:
        self._pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._queue = asyncio.Queue()
        self._loop.create_task(self._work())
        threading.Thread(target=self._loop.run_forever, name="events", daemon=True).start()
        atexit.register(self.idle, EXIT_SECONDS)

    def _take(self, event: Event) -> None:
        if self._queue.qsize() < WAITING:
            self._queue.put_nowait(event)
        else:
            log.warning("event_not_published", published=event.name, error="too many wait")

    async def _work(self) -> None:
        layer: Any = get_channel_layer()
        while True:
            events = [await self._queue.get()]
            while not self._queue.empty():
                events.append(self._queue.get_nowait())
            for event in gathered(events):
                try:
                    for group in event.groups:
                        await layer.group_send(group, to_message(event))
                except Exception as error:  # whatever the client library raises when Valkey is away
                    log.warning("event_not_published", published=event.name, error=str(error))
            for _ in events:
                self._queue.task_done()
            await asyncio.sleep(GATHER_SECONDS)


sender = Sender()
