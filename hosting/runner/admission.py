"""Which calls a runner takes, and where they run: the one that runs already, a session's instance, or a new one."""

from __future__ import annotations

from hosting.runner.exchange import Exchange
from hosting.runner.frames import Open, Reason
from hosting.runner.log import Log
from hosting.runner.personal import LackingError, OutdatedError
from hosting.runner.placed import BusyError, Placed
from hosting.runner.refused import RefusedError
from hosting.runner.runner import Runner
from hosting.runner.session import Session
from hosting.runner.spool import Header


def admit(runner: Runner, opened: Open) -> Log:
    """Start an exchange, or find the one that was started under this id. Raises RefusedError."""
    found = _task_found(runner, opened) if opened.task else _found(runner, opened)
    if found is not None:
        return found
    if not opened.exchange.startswith(f"{runner.name}.{runner.boot}."):
        raise RefusedError(Reason.LOST, "the runner was restarted since")
    placed = _placed_for(runner, opened)
    session = _session_for(runner, opened)
    try:
        instance = placed.instance_for(opened, session)
    except BusyError as error:
        if session is not None and not session.instance:
            runner.end_session(session, "it could not be started")
        raise RefusedError(Reason.BUSY, f"{placed.placement.label} is busy: {error}") from None
    except OutdatedError:
        raise RefusedError(Reason.NO_SESSION, "its user's credentials are others now") from None
    except LackingError:
        raise RefusedError(Reason.UNPLACED, "its user's own values are needed first") from None
    exchange = Exchange(opened, runner.new_log(opened.exchange, opened.owner))
    runner.retention.watch(exchange)
    runner.exchanges[exchange.id] = exchange
    if session is not None:
        session.exchanges.add(exchange.id)
        if not session.instance:
            session.instance = instance.id
            instance.bound[session.id] = session
    if exchange.task:
        exchange.outbox = runner.outbox
        header = Header(exchange.task, exchange.id, opened.owner, opened.deployment)
        runner.outbox.begin(header, exchange.log, lambda: instance.submit(exchange))
    else:
        instance.submit(exchange)
    return exchange.log


def _found(runner: Runner, opened: Open) -> Log | None:
    """The log of this very request while it runs. Raises RefusedError while another one runs under its id.

    Request ids are the client's: one that takes up its session again counts from the start, and its first `ping`
    has the id of the `initialize` that is still kept here. What has finished therefore answers no new request,
    however alike; its stream is resumed by GET (2025-11-25 basic/transports, "Resumability and Redelivery").
    """
    known = runner.exchanges.get(opened.exchange)
    if known is None:
        return None
    found = runner.owned(known.log, opened.owner)
    if known.is_done and not found.followers:
        runner.retention.forget(known)
        return None
    if not known.is_of(opened):
        raise RefusedError(Reason.BUSY, "another request with this id is still running")
    return found


def _task_found(runner: Runner, opened: Open) -> Log | None:
    """A task's call runs once however often it is opened: the jobs that open it may come twice, or late."""
    known = runner.outbox.log_of(opened.task)
    if known is not None:
        return runner.owned(known, opened.owner)
    if runner.outbox.is_over(opened.exchange):
        raise RefusedError(Reason.DONE)
    return None


def _placed_for(runner: Runner, opened: Open) -> Placed:
    """Where the call may run. Raises RefusedError.

    A call of a session that lives here goes on with what it began with, whatever is placed by now; but one that
    knows of a later epoch tells us that the deployment was taken from us, and we give way.
    """
    placed = runner.placed.get(opened.deployment)
    if placed is not None and opened.session in runner.sessions:
        if opened.epoch <= placed.placement.epoch or placed.is_leaving:
            return placed
    elif runner.draining and not (placed is not None and placed.placement.data_folder):  # those stay where data is
        raise RefusedError(Reason.DRAINING, "the runner takes nothing new")
    if placed is None:
        raise RefusedError(Reason.UNPLACED)
    if not placed.accepts(opened):
        if opened.epoch > placed.placement.epoch and not placed.is_leaving:
            runner.give_way(placed, opened.epoch)
        raise RefusedError(Reason.UNPLACED)
    return placed


def _session_for(runner: Runner, opened: Open) -> Session | None:
    if not opened.session:
        return None
    session = runner.sessions.get(opened.session)
    if opened.method == "initialize" and session is None:
        channel = runner.new_log(f"session:{opened.session}", opened.owner)
        session = runner.sessions[opened.session] = Session(
            opened.session,
            owner=opened.owner,
            deployment=opened.deployment,
            revision=opened.revision,
            capabilities=opened.capabilities,
            client=opened.client,
            channel=channel,
            subject=opened.subject,
        )
    if session is None or session.owner != opened.owner or session.deployment != opened.deployment:
        raise RefusedError(Reason.NO_SESSION)
    session.touch()
    return session
