"""The control operations on a runner: each checks whose the thing is, then does one thing. See `control.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from common import addresses
from hosting.runner import control as c
from hosting.runner.folders import FoldersError, key_of
from hosting.runner.follower import PART_BYTES
from hosting.runner.frames import Kind, Reason
from hosting.runner.personal import forget_personal, open_session, place_personal
from hosting.runner.refused import RefusedError
from hosting.runner.runner import Runner
from hosting.runner.seen import (
    CallSeen,
    DataPart,
    EgressBatch,
    Held,
    News,
    OutboxSeen,
    Request,
    Status,
    Tail,
    Taken,
    TaskNews,
)
from hosting.runner.status import status_of

MAX_NEWS = 500


Value = DataPart | Taken | Status | Tail | OutboxSeen | News | Request | CallSeen | EgressBatch | Held


def perform(runner: Runner, operation: c.Operation) -> Value:
    """Do one control operation; returns its value. Raises RefusedError."""
    return _DOING[type(operation)](runner, operation)


def _place(runner: Runner, operation: c.Place) -> Taken:
    placement = operation.placement
    known = runner.placed.get(placement.deployment)
    if runner.draining and (known is None or known.is_leaving) and not placement.data_folder:
        raise RefusedError(Reason.DRAINING, "the runner takes nothing new")
    if known is None and runner.superseded.is_newer(placement.deployment, placement.epoch):
        raise RefusedError(Reason.UNPLACED, "it was placed elsewhere since")
    runner.shares.placed(placement)
    if known is None:
        runner.place(placement)
        return Taken()
    before = known.placement
    if before.epoch > placement.epoch:
        raise RefusedError(Reason.UNPLACED, "a newer placement is here already")
    if before.epoch < placement.epoch and not known.is_leaving:
        runner.displace(known, "it was placed anew")
        runner.place(placement)
    elif (before.epoch, before.generation) != (placement.epoch, placement.generation):
        if before.epoch == placement.epoch and before.generation > placement.generation:
            return Taken(first=False)
        known.renew(placement)
    else:
        is_news = known.placement != placement  # what others of the same owner use, or the era that was found
        known.update(placement)
        return Taken(first=is_news)
    return Taken()


def _unplace(runner: Runner, operation: c.Unplace) -> Taken:
    known = runner.placed.get(operation.deployment)
    if known is None or known.placement.epoch > operation.epoch:
        return Taken(first=False)
    if operation.grace_seconds > 0:
        if not known.is_leaving:
            known.leave(operation.grace_seconds, operation.reason)
    else:
        runner.unplace(known, operation.reason or "stopped")
    return Taken()


def _delete_data(runner: Runner, operation: c.DeleteData) -> Taken:
    gone = [one for one in runner.folders.seen() if one.deployment == operation.deployment]
    gone = [one for one in gone if operation.key in ("", one.key)]
    placed = runner.placed.get(operation.deployment)
    for instance in list(placed.instances.values()) if placed is not None else []:
        if instance.subject and key_of(instance.subject) in {one.key for one in gone}:
            runner.stop_instance(instance, "its data folder was deleted")
    for one in gone:
        runner.folders.delete(one.deployment, one.key)
    return Taken(first=bool(gone))


def _get_data(runner: Runner, operation: c.GetData) -> DataPart:
    try:
        return runner.folders.part(operation.deployment, operation.key, operation.ticket, operation.offset)
    except FoldersError as error:
        raise RefusedError(Reason.LOST, str(error)) from None


def _drain(runner: Runner, operation: c.Drain) -> Taken:
    changed = runner.draining != operation.is_on
    runner.draining = operation.is_on
    return Taken(first=changed)


def _restart(runner: Runner, operation: c.Restart) -> Taken:
    if runner.restart is None:
        raise RefusedError(Reason.BUSY, "this runner can't restart in place")
    given = {"--networks": operation.networks, "--ports": operation.ports}
    options = {name: value for name, value in given.items() if value is not None}
    try:  # the new image would not start with what can't be read
        addresses.networks(options.get("--networks", "").split(","))
        [int(port) for port in options.get("--ports", "").split(",") if port]
    except ValueError as error:
        raise RefusedError(Reason.BUSY, f"its new settings can't be read: {error}") from None
    runner.restart(options)
    return Taken()


def _answer(runner: Runner, operation: c.Answer) -> Taken:
    exchange = None
    if operation.exchange:
        exchange = runner.exchanges.get(operation.exchange)
        if exchange is None:
            raise RefusedError(Reason.LOST, "nothing is known of that call any more")
        runner.owned(exchange.log, operation.owner)
        instance = runner.instance(exchange)
        if operation.key not in exchange.questions:
            return Taken(first=False)
        exchange.parked_at = 0.0
        exchange.answering = operation.by
    else:
        session = runner.own_session(operation.session, operation.owner)
        session.touch()
        instance = runner.bound_instance(session)
    if instance is None or instance.upstream is None:
        return Taken(first=False)
    first = instance.upstream.answer(exchange, operation.key, result=operation.result, error=operation.error)
    if exchange is not None:
        exchange.answering = ""
    return Taken(first=first)


def _notify(runner: Runner, operation: c.Notify) -> Taken:
    session = runner.own_session(operation.session, operation.owner)
    session.touch()
    instance = runner.bound_instance(session)
    if instance is None or instance.upstream is None:
        return Taken(first=False)
    instance.upstream.notify(session, operation.method, operation.params)
    return Taken()


def _tell(runner: Runner, operation: c.Tell) -> Taken:
    session = runner.own_session(operation.session, operation.owner)
    session.channel.append(Kind.NOTIFICATION, operation.params, operation.method)
    return Taken()


def _cancel(runner: Runner, operation: c.Cancel) -> Taken:
    exchange = runner.exchanges.get(operation.exchange)
    if exchange is None:
        return Taken(first=False)
    runner.owned(exchange.log, operation.owner)
    runner.cancel(exchange, operation.reason)
    return Taken()


def _end_session(runner: Runner, operation: c.EndSession) -> Taken:
    """The client's own word: what runs is cancelled, not failed; tasks go on."""
    session = runner.own_session(operation.session, operation.owner)
    for name in list(session.exchanges):
        exchange = runner.exchanges.get(name)
        if exchange is not None and not exchange.task:
            runner.cancel(exchange, "the client ended the session")
    runner.end_session(session, "the client ended the session")
    return Taken()


def _of_tasks(runner: Runner, operation: c.Keep | c.Remind | c.Acknowledge | c.GetOutbox) -> Taken | OutboxSeen:
    match operation:
        case c.Keep():
            return _keep(runner, operation)
        case c.Remind():
            return Taken(first=runner.outbox.remind(operation.task))
        case c.Acknowledge():
            return Taken(first=runner.acknowledge(operation.task, operation.seq))
        case c.GetOutbox():
            news = runner.outbox.unacknowledged(operation.older_than_seconds, MAX_NEWS)
            holding = runner.outbox.holds(operation.holding[:MAX_NEWS])
            return OutboxSeen(news, holding, f"{runner.name}.{runner.boot}.")


def _news(runner: Runner, operation: c.GetNews) -> News:
    for task, seq in operation.taken:
        runner.acknowledge(task, seq)
    return News(
        [
            TaskNews(held.header.task, held.header.exchange, _instance(runner, held.header.exchange), events)
            for held, events in runner.outbox.news(operation.older_than_seconds)
        ]
    )


def _call(runner: Runner, operation: c.GetCall) -> CallSeen:
    header = runner.outbox.header_of(operation.task)
    return CallSeen(_instance(runner, header.exchange) if header is not None else "")


def _request(runner: Runner, operation: c.GetRequest) -> Request:
    exchange = runner.exchanges.get(operation.exchange)
    if exchange is None:
        raise RefusedError(Reason.LOST, "nothing is known of that call any more")
    runner.owned(exchange.log, operation.owner)
    params = exchange.open.params if len(exchange.open.params) <= PART_BYTES else b""
    return Request(exchange.open.method, params, time.monotonic() - exchange.opened_at, exchange.is_done)


def _instance(runner: Runner, exchange: str) -> str:
    known = runner.exchanges.get(exchange)
    return known.instance if known is not None else ""


def _keep(runner: Runner, operation: c.Keep) -> Taken:
    """Not `first` when it is a task already, or has ended."""
    exchange = runner.exchanges.get(operation.exchange)
    if exchange is None:
        raise RefusedError(Reason.LOST, "nothing is known of that call any more")
    runner.owned(exchange.log, operation.owner)
    if exchange.task:
        return Taken(first=exchange.task == operation.task)
    runner.keep(exchange, operation.task)
    return Taken()


_DOING: dict[type[Any], Callable[[Runner, Any], Value]] = {
    c.Place: _place,
    c.PlacePersonal: place_personal,
    c.ForgetPersonal: forget_personal,
    c.OpenSession: open_session,
    c.Tell: _tell,
    c.Unplace: _unplace,
    c.GetStatus: lambda runner, _: status_of(runner),
    c.Ping: lambda runner, _: Taken(),
    c.GetTail: lambda runner, asked: Tail(runner.feed(asked.deployment).tail(asked.lines)),
    c.Answer: _answer,
    c.Notify: _notify,
    c.Cancel: _cancel,
    c.EndSession: _end_session,
    c.Keep: _of_tasks,
    c.Remind: _of_tasks,
    c.Acknowledge: _of_tasks,
    c.GetOutbox: _of_tasks,
    c.GetNews: _news,
    c.GetCall: _call,
    c.GetRequest: _request,
    c.GetEgress: lambda runner, asked: runner.egress.next(asked.taken, runner.boot),
    c.Restart: _restart,
    c.Drain: _drain,
    c.DeleteData: _delete_data,
    c.GetData: _get_data,
    c.SetShare: lambda runner, asked: runner.shares.set(asked, runner.instances_of(asked.owner)),
}
