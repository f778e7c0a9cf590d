"""Telling the site's workers that a task has news: one small Celery job for each, sent from a thread.

The job's name and its one argument are all that runner and site agree on. A broker that is away costs nothing here:
what was not announced is found by the site when it next asks.
"""

from __future__ import annotations

import logging
import queue
import threading

log = logging.getLogger(__name__)

JOB = "hosting.jobs.advance_task"
WAITING = 10_000  # announcements; more than these are left to the site's own asking


class Announcer:
    """`broker` is the URL of the Celery broker; "" announces nothing. `prefix` stands before the names of its keys."""

    def __init__(self, broker: str, prefix: str = "") -> None:
        self._broker = broker
        self._prefix = prefix
        self._waiting: queue.Queue[str | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None

    def __call__(self, task: str) -> None:
        if not self._broker:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="announcer", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(task)
        except queue.Full:
            log.warning("too many announcements wait for the broker")

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
            while (task := self._waiting.get()) is not None:
                try:
                    app.send_task(JOB, args=[task], producer=producer, retry=False)
                except Exception as error:  # whatever the client library raises when the broker is away
                    log.warning("a task's news was not announced", extra={"task": task, "error": str(error)})
