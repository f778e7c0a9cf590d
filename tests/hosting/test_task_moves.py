"""Every change of a task's row in every state: it happens where the table says so, and else nothing at all changes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from common.errors import Conflict
from hosting.models import Task, TaskLine, TaskResult
from hosting.runner.frames import Event, Kind
from hosting.tasks import services
from hosting.tasks.states import Outcome, Seen, State, advance
from tests.factories import make_deployment, make_runner, make_user

pytestmark = pytest.mark.django_db

QUESTION = b'{"method":"elicitation/create","params":{"message":"Sure?"}}'
EXCHANGE = "r1.boot.task-x-1"
OPEN = ("accepted", "starting", "working", "input_required")
STATES = (*OPEN, *(f"ended: {outcome}" for outcome in Outcome))
RUNNING = frozenset(OPEN[1:])


def begin(row: Task) -> bool:
    return services.task_starting(row, runner=make_runner("r2"), exchange="r2.boot.task-x-2")


def cancel(row: Task) -> bool:
    try:
        services.task_cancel(row)
    except Conflict:
        return False
    return True


def take(*events: Event) -> Callable[[Task], bool]:
    """What a job does that has read these events after the last one that the row has."""

    def taken(row: Task) -> bool:
        before = Seen(row.last_seq, State.WORKING, questions=row.questions)
        return services.task_take(row, row.last_seq, advance(before, events))

    return taken


# What is done -> the function, the states in which it happens, and what the row is afterwards.
MOVES: dict[str, tuple[Callable[[Task], bool], frozenset[str], str]] = {
    "begin": (begin, frozenset({"accepted"}), "starting"),
    "runs": (lambda row: bool(services.tasks_running([row.id])), frozenset({"starting"}), "working"),
    "again": (lambda row: services.task_again(row, "again"), RUNNING, "accepted"),
    "progress": (take(Event(4, Kind.PROGRESS, b'{"progress":1}')), RUNNING, ""),
    "line": (take(Event(4, Kind.LOG, b'{"data":"x"}')), RUNNING, ""),
    "question": (take(Event(4, Kind.INPUT_REQUESTED, QUESTION, "q2")), RUNNING, "input_required"),
    "answer": (take(Event(4, Kind.INPUT_ANSWERED, b"", "q1")), RUNNING, "working"),
    "result": (take(Event(4, Kind.RESULT, b'{"content":[]}')), RUNNING, "ended: result"),
    "tool error": (take(Event(4, Kind.RESULT, b'{"isError":true}')), RUNNING, "ended: tool_error"),
    "error": (take(Event(4, Kind.ERROR, b'{"code":1,"message":"no"}')), RUNNING, "ended: error"),
    "cancelled by its server": (take(Event(4, Kind.CANCELLED, b"", "no")), RUNNING, "ended: cancelled"),
    "runner ended": (take(Event(4, Kind.LOST, b"", "no")), RUNNING, "ended: lost"),
    "lost": (lambda row: services.task_end(row, Outcome.LOST, "gone"), frozenset(OPEN), "ended: lost"),
    "cancel": (cancel, frozenset(OPEN), "ended: cancelled"),
}
STALE = sorted(MOVES.keys() - {"cancel", "runs"})  # these two are of the task, whichever attempt it is at
BODIES = {"result", "tool error", "error"}


@pytest.fixture
def deployment() -> Any:
    return make_deployment(make_user())


def make_task(deployment: Any, name: str) -> Task:
    state, _, outcome = name.partition(": ")
    is_placed = state != "accepted"
    return Task.objects.create(
        deployment=deployment,
        principal="alice",
        client="c",
        origin=Task.Origin.LEGACY,
        revision="2025-11-25",
        tool="work",
        params="{}",
        state=state,
        outcome=outcome,
        attempts=1 if is_placed else 0,
        runner=make_runner() if is_placed else None,
        exchange=EXCHANGE if is_placed else "",
        last_seq=3 if is_placed else 0,
        questions={"q1": {"method": "elicitation/create"}} if state == "input_required" else {},
    )


def name_of(row: Task) -> str:
    return f"{row.state}: {row.outcome}" if row.outcome else str(row.state)


@pytest.mark.parametrize(("state", "move"), list(itertools.product(STATES, MOVES)))
def test_every_change_in_every_state(deployment: Any, state: str, move: str) -> None:
    change, sources, after = MOVES[move]
    row = make_task(deployment, state)
    before = Task.objects.filter(pk=row.pk).values().get()
    assert change(row) is (state in sources)
    if state not in sources:
        assert Task.objects.filter(pk=row.pk).values().get() == before
        assert not TaskResult.objects.exists()
        assert not TaskLine.objects.exists()
        return
    row.refresh_from_db()
    said_nothing = "input_required" if state == "input_required" else "working"
    assert name_of(row) == (after or said_nothing)
    assert (row.state == State.INPUT_REQUIRED) is bool(row.questions)
    assert (row.ended_at is not None) is (row.state == State.ENDED)
    assert TaskResult.objects.filter(task=row).count() == (move in BODIES)


@pytest.mark.parametrize(("state", "move"), list(itertools.product(sorted(RUNNING), STALE)))
@pytest.mark.parametrize("has_begun", [True, False])
def test_what_was_read_before_it_was_to_run_again_changes_nothing(
    deployment: Any, state: str, move: str, has_begun: bool
) -> None:
    read = make_task(deployment, state)
    services.task_again(read, "again")
    if has_begun:
        services.task_starting(Task.objects.get(pk=read.pk), runner=make_runner("r3"), exchange="r3.boot.task-x-2")
    elif move == "begin":
        return  # whoever comes first begins the second attempt
    before = Task.objects.filter(pk=read.pk).values().get()
    assert MOVES[move][0](read) is False
    assert Task.objects.filter(pk=read.pk).values().get() == before
