"""The control operations on a runner: each checks whose the thing is, then does one thing. See `control.py`."""

from __future__ import annotations

from hosting.runner import control as c
from hosting.runner.frames import Reason
from hosting.runner.runner import RefusedError, Runner

MAX_NEWS = 500


def perform(runner: Runner, operation: c.Operation) -> c.Taken | c.Status | c.Tail | c.OutboxSeen | c.EgressBatch:
    """Do one control operation; returns its value. Raises RefusedError."""
    match operation:
        case c.Place():
            return _place(runner, operation.placement)
        case c.Unplace():
            return _unplace(runner, operation)
        case c.GetStatus():
            return runner.status()
        case c.GetTail() | c.GetEgress():
            return _told(runner, operation)
        case c.Answer():
            return _answer(runner, operation)
        case c.Notify():
            return _notify(runner, operation)
        case c.Cancel():
            return _cancel(runner, operation)
        case c.EndSession():
            return _end_session(runner, operation)
        case c.Keep() | c.Acknowledge() | c.GetOutbox():
            return _of_tasks(runner, operation)


def _told(runner: Runner, operation: c.GetTail | c.GetEgress) -> c.Tail | c.EgressBatch:
    if isinstance(operation, c.GetTail):
        return c.Tail(runner.feed(operation.deployment).tail(operation.lines))
    return runner.egress.next(operation.taken, runner.boot)


def _place(runner: Runner, placement: c.Placement) -> c.Taken:
    known = runner.placed.get(placement.deployment)
    if known is not None:
        if known.placement.epoch > placement.epoch:
            raise RefusedError(Reason.UNPLACED, "a newer placement is here already")
        if known.placement == placement:
            return c.Taken(first=False)
        runner.displace(known, "a newer version takes over")
    runner.place(placement)
    return c.Taken()


def _unplace(runner: Runner, operation: c.Unplace) -> c.Taken:
    known = runner.placed.get(operation.deployment)
    if known is None or known.placement.epoch > operation.epoch:
        return c.Taken(first=False)
    runner.displace(known, operation.reason or "stopped")
    del runner.placed[operation.deployment]
    return c.Taken()


def _answer(runner: Runner, operation: c.Answer) -> c.Taken:
    exchange = None
    if operation.exchange:
        exchange = runner.exchanges.get(operation.exchange)
        if exchange is None:
            raise RefusedError(Reason.LOST, "nothing is known of that call any more")
        runner.owned(exchange.log, operation.owner)
        instance = runner.instance(exchange)
        if operation.key not in exchange.questions:
            return c.Taken(first=False)
        exchange.parked_at = 0.0
    else:
        session = runner.own_session(operation.session, operation.owner)
        session.touch()
        instance = runner.bound_instance(session)
    if instance is None or instance.upstream is None:
        return c.Taken(first=False)
    first = instance.upstream.answer(exchange, operation.key, result=operation.result, error=operation.error)
    return c.Taken(first=first)


def _notify(runner: Runner, operation: c.Notify) -> c.Taken:
    session = runner.own_session(operation.session, operation.owner)
    session.touch()
    instance = runner.bound_instance(session)
    if instance is None or instance.upstream is None:
        return c.Taken(first=False)
    instance.upstream.notify(session, operation.method, operation.params)
    return c.Taken()


def _cancel(runner: Runner, operation: c.Cancel) -> c.Taken:
    exchange = runner.exchanges.get(operation.exchange)
    if exchange is None:
        return c.Taken(first=False)
    runner.owned(exchange.log, operation.owner)
    runner.cancel(exchange, operation.reason)
    return c.Taken()


def _end_session(runner: Runner, operation: c.EndSession) -> c.Taken:
    """The client's own word: what runs is cancelled, not failed; tasks go on."""
    session = runner.own_session(operation.session, operation.owner)
    for name in list(session.exchanges):
        exchange = runner.exchanges.get(name)
        if exchange is not None and not exchange.task:
            runner.cancel(exchange, "the client ended the session")
    runner.end_session(session, "the client ended the session")
    return c.Taken()


def _of_tasks(runner: Runner, operation: c.Keep | c.Acknowledge | c.GetOutbox) -> c.Taken | c.OutboxSeen:
    match operation:
        case c.Keep():
            return _keep(runner, operation)
        case c.Acknowledge():
            return c.Taken(first=runner.acknowledge(operation.task, operation.seq))
        case c.GetOutbox():
            news = runner.outbox.unacknowledged(operation.older_than_seconds, MAX_NEWS)
            return c.OutboxSeen(news, runner.outbox.holds(operation.holding[:MAX_NEWS]))


def _keep(runner: Runner, operation: c.Keep) -> c.Taken:
    """Not `first` when it is a task already, or has ended."""
    exchange = runner.exchanges.get(operation.exchange)
    if exchange is None:
        raise RefusedError(Reason.LOST, "nothing is known of that call any more")
    runner.owned(exchange.log, operation.owner)
    if exchange.task:
        return c.Taken(first=exchange.task == operation.task)
    runner.keep(exchange, operation.task)
    return c.Taken()
