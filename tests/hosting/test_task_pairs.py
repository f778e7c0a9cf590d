"""Every event of an exchange, and every thing that a job or a client does, against a row in every state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from common.errors import Conflict
from hosting.models import Runner, Task, TaskResult
from hosting.runner.frames import Event, Kind
from hosting.tasks import services
from hosting.tasks.states import OPEN, RUNNING, Outcome, Seen, State, advance
from tests.factories import make_deployment, make_runner, make_user

pytestmark = pytest.mark.django_db
EVENTS = {
    Kind.STATUS: b'{"reason":"starting"}',
    Kind.PROGRESS: b'{"progress":2}',
    Kind.LOG: b'{"data":"a line"}',
    Kind.GAP: b"",
    Kind.NOTIFICATION: b"{}",
    Kind.INPUT_REQUESTED: b'{"method":"elicitation/create","params":{}}',
    Kind.INPUT_ANSWERED: b"",
    Kind.RESULT: b'{"content":[]}',
    Kind.ERROR: b'{"code":-32000,"message":"no"}',
    Kind.CANCELLED: b"",
    Kind.LOST: b"",
}
ASKED = {"q1": {"method": "elicitation/create"}}


@pytest.fixture
def runner() -> Runner:
    return make_runner()


def row_in(state: State, runner: Runner) -> Task:
    fields: dict[str, Any] = {"state": state}
    if state in RUNNING:
        fields |= {"runner": runner, "exchange": "r1.boot.e", "attempts": 1, "last_seq": 6}
    if state is State.INPUT_REQUIRED:
        fields["questions"] = ASKED
    if state is State.ENDED:
        fields |= {"outcome": Outcome.RESULT, "attempts": 1, "last_seq": 6}
    user = make_user()
    deployment = make_deployment(user)
    return Task.objects.create(
        deployment=deployment, user=user, principal="p", origin=Task.Origin.MODERN, tool="t", params="{}", **fields
    )


def test_every_kind_of_event_is_here() -> None:
    """But those that feeds have and no call."""
    assert set(EVENTS) == set(Kind) - {Kind.OUTPUT, Kind.INSTANCE}


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("state", list(State))
def test_an_event_changes_a_row_that_runs_and_no_other(runner: Runner, state: State, kind: Kind) -> None:
    task = row_in(state, runner)
    assert_taken(task, Event(7, kind, EVENTS[kind], "q1"), counts=state in RUNNING)


def assert_taken(task: Task, event: Event, *, counts: bool) -> None:
    """Twice, as jobs come: the second one finds it done."""
    before = Seen(task.last_seq, State(task.state), None, questions=task.questions)
    seen = advance(before, [event])
    was = task.state
    assert services.task_take(task, task.last_seq, seen) is counts
    assert services.task_take(task, task.last_seq, seen) is False or was == seen.state
    task.refresh_from_db()
    assert task.state == (seen.state if counts else was)
    assert task.last_seq == (7 if counts else before.seq)
    assert (task.state == State.ENDED) is bool(task.outcome)
    has_body = counts and event.kind in (Kind.RESULT, Kind.ERROR)
    assert TaskResult.objects.filter(task=task).exists() is has_body


def cancel(task: Task, runner: Runner) -> bool:
    try:
        services.task_cancel(task)
    except Conflict:
        return False
    return True


DONE: dict[str, tuple[Callable[[Task, Runner], bool], frozenset[State], State]] = {
    "claim": (
        lambda task, runner: services.task_starting(task, runner=runner, exchange="r1.boot.new"),
        frozenset({State.ACCEPTED}),
        State.STARTING,
    ),
    "opened": (
        lambda task, runner: bool(services.tasks_running([task.id])),
        frozenset({State.STARTING}),
        State.WORKING,
    ),
    "again": (lambda task, runner: services.task_again(task, "again"), RUNNING, State.ACCEPTED),
    "lost": (lambda task, runner: services.task_end(task, Outcome.LOST, "gone"), OPEN, State.ENDED),
    "cancel": (cancel, OPEN, State.ENDED),
}


@pytest.mark.parametrize("name", DONE)
@pytest.mark.parametrize("state", list(State))
def test_what_is_done_counts_from_its_states_only_and_once(runner: Runner, state: State, name: str) -> None:
    do, sources, target = DONE[name]
    task = row_in(state, runner)
    assert do(Task.objects.get(pk=task.pk), runner) is (state in sources)
    found = Task.objects.get(pk=task.pk)
    assert found.state == (target if state in sources else state)
    assert do(task, runner) is False  # the same once more, by who has read it before
    assert Task.objects.get(pk=task.pk).state == found.state
