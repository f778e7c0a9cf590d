"""Telling the site's workers that there is news of tasks: a small Celery job, sent from a thread.

The job's name and its one argument are all that runner and site agree on. A broker that is away costs nothing here:
what was not announced is found by the site when it next asks.
"""

from __future__ import annotations

import logging
import queue
import threading
from contextlib import suppress

log = logging.getLogger(__name__)

JOB = "hosting.jobs.take_news"
WAITING = 10  # announcements; each is of all the news there is


class Announcer:
    """`broker` is the URL of the Celery broker; "" announces nothing. `prefix` stands before the names of its keys."""

    def __init__(self, runner: str, broker: str, prefix: str = "") -> None:
        self._runner = runner
        self._broker = broker
        self._prefix = prefix
        self._waiting: queue.Queue[None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None

    def __call__(self) -> None:
        if not self._broker:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="announcer", daemon=True)
            self._thread.start()
        with suppress(queue.Full):
            self._waiting.put_nowait(None)

    def _work(self) -> None:
        from celery import Celery  # 25 MB that a runner without tasks need not have

        from common.broker import transport_use

        transport_use()
        app = Celery("runner", broker=self._broker, set_as_current=False)
        # A silent broker must not hold the thread for long: news gets old.
        app.conf.update(
            broker_connection_retry_on_startup=False,
            broker_transport_options={
                "socket_timeout": 5,
                "socket_connect_timeout": 2,
                "global_keyprefix": self._prefix,
            },
            task_ignore_result=True,
        )
        with app.connection_for_write() as connection:
            producer = app.amqp.Producer(connection)
            while True:
                self._waiting.get()
                try:
                    app.send_task(JOB, args=[self._runner], producer=producer, retry=False)
                except Exception as error:  # whatever the client library raises when the broker is away
                    log.warning("news of tasks was not announced", extra={"error": str(error)})
