"""What time alone brings: idle instances, silent sessions, parked questions, and what is over at last."""

from __future__ import annotations

import asyncio
import logging
import time

from hosting.runner.exchange import Exchange
from hosting.runner.folders import full_words
from hosting.runner.runner import Runner
from hosting.runner.session import CHANNEL_EVENTS

log = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0
FOLDER_SECONDS = 5.0


async def sweep(runner: Runner) -> None:
    """Once a second, for ever."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        try:
            sweep_once(runner, time.monotonic())
        except Exception:
            log.exception("sweep failed")


async def watch_folders(runner: Runner) -> None:
    """The size of data folders in use, every few seconds; one that is too large ends its instance."""
    while True:
        await asyncio.sleep(FOLDER_SECONDS)
        for instance in [one for one in runner.instances() if one.subject and one.is_alive]:
            placement = instance.placement
            try:
                size = await runner.folders.measure(placement.deployment, instance.subject)
            except OSError:
                log.exception("a data folder can't be measured", extra={"deployment": placement.label})
                continue
            if 0 < placement.limits.data_bytes < size:
                runner.stop_instance(instance, full_words(size, placement.limits.data_bytes))


def sweep_once(runner: Runner, now: float) -> None:
    for session in list(runner.sessions.values()):
        placed = runner.placed.get(session.deployment)
        idle = placed.placement.idle_seconds if placed is not None else 0.0
        if not session.is_busy and now - session.used_at > idle:
            runner.end_session(session, "the session was not used")
        session.channel.keep_last(CHANNEL_EVENTS)
    _instances(runner)
    for exchange in list(runner.exchanges.values()):
        if exchange.parked_at and now - exchange.parked_at > _patience(runner, exchange):
            runner.cancel(exchange, "its question was not answered in time")
    runner.retention.sweep(now)


def _instances(runner: Runner) -> None:
    for placed in list(runner.placed.values()):
        for instance in placed.overdue():
            runner.stop_instance(instance, "a newer version has taken over")
        for instance in placed.tired():
            runner.stop_instance(instance, "replaced" if instance.retires_at else "asleep: not used")
        if placed.is_leaving and not placed.instances:
            runner.unplace(placed, "it has left")


def _patience(runner: Runner, exchange: Exchange) -> float:
    placed = runner.placed.get(exchange.open.deployment)
    return placed.placement.question_seconds if placed is not None else 0.0
