"""News of many tasks is taken at once: what can't come along is left to a job of its own, nothing is taken twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from hosting.looks.inspection import deployment_inspect
from hosting.models import Task, TaskLine, TaskResult
from hosting.runner.control import GetNews
from hosting.runner.frames import Event, Kind
from hosting.runner.seen import TaskNews
from hosting.tasks import news, starting
from hosting.tasks.states import RUNNING, Outcome, State
from hosting.tasks.steps import Step
from tests.factories import make_deployment, make_runner, make_user
from tests.hosting.conftest import READ_ONLY, RunnerProcess, server_argv
from tests.hosting.test_task_crashes import Killed, create, kill_at, outcome, sweep_until_over  # noqa: F401
from tests.hosting.test_task_moves import EXCHANGE, MOVES, QUESTION, STATES, make_task

pytestmark = pytest.mark.django_db(transaction=True)
RESULT = Event(4, Kind.RESULT, b'{"content":[]}')


@pytest.fixture
def deployment() -> Any:
    return make_deployment(make_user())


def news_of(task: Task, *events: Event, exchange: str = EXCHANGE) -> TaskNews:
    return TaskNews(task.id, exchange, "i1", list(events))


EVENTS = {
    "progress": Event(4, Kind.PROGRESS, b'{"progress":1}'),
    "line": Event(4, Kind.LOG, b'{"data":"x"}'),
    "question": Event(4, Kind.INPUT_REQUESTED, QUESTION, "q2"),
    "answer": Event(4, Kind.INPUT_ANSWERED, b"", "q1"),
    "result": RESULT,
    "tool error": Event(4, Kind.RESULT, b'{"isError":true}'),
    "error": Event(4, Kind.ERROR, b'{"code":1,"message":"no"}'),
    "cancelled by its server": Event(4, Kind.CANCELLED, b"", "no"),
}
COLUMNS = ("state", "outcome", "reason", "progress", "questions", "answered", "last_seq", "result_bytes")


@pytest.mark.parametrize("name", EVENTS)
def test_a_row_is_the_same_whether_it_was_taken_alone_or_with_others(
    deployment: Any, queued: list[tuple[str, list[Any]]], name: str
) -> None:
    alone = {state: make_task(deployment, state) for state in STATES}
    together = {state: make_task(deployment, state) for state in STATES}
    for task in alone.values():
        MOVES[name][0](task)
    taken = news.tasks_take([news_of(task, EVENTS[name]) for task in together.values()])
    assert sorted(taken) == sorted((task.id, 4) for state, task in together.items() if state in RUNNING)
    left = sorted(task.id for state, task in together.items() if state not in RUNNING)
    assert sorted(queued) == [("advance_task", [task_id]) for task_id in left]
    rows = {task.id: task for task in Task.objects.all()}
    for state in STATES:
        one, other = rows[alone[state].id], rows[together[state].id]
        assert [getattr(one, column) for column in COLUMNS] == [getattr(other, column) for column in COLUMNS], state
        assert (one.started_at is None, one.ended_at is None) == (other.started_at is None, other.ended_at is None)
        assert (other.instance == "i1") is (state in RUNNING)
        assert [
            TaskResult.objects.filter(task=task).count() + TaskLine.objects.filter(task=task).count() * 10
            for task in (one, other)
        ] in ([0, 0], [1, 1], [10, 10])


def test_the_fields_of_a_question_stay_in_their_order(deployment: Any) -> None:
    task = make_task(deployment, "working")
    news.tasks_take([news_of(task, Event(4, Kind.INPUT_REQUESTED, b'{"params":{"z":1,"a":2}}', "q2"))])
    task.refresh_from_db()
    assert list(task.questions["q2"]["params"]) == ["z", "a"]


def test_many_cost_as_many_statements_as_one(deployment: Any) -> None:
    def taking(count: int) -> int:
        tasks = [make_task(deployment, "working") for _ in range(count)]
        line = Event(3, Kind.LOG, b'{"data":"x"}')
        with CaptureQueriesContext(connection) as queries:
            Task.objects.filter(pk__in=[task.id for task in tasks]).update(last_seq=2)
            assert len(news.tasks_take([news_of(task, line, RESULT) for task in tasks])) == count
        return len(queries)

    assert taking(1) == taking(50)
    assert TaskResult.objects.count() == TaskLine.objects.count() == 51


def test_what_was_taken_already_is_only_acknowledged(deployment: Any) -> None:
    task = make_task(deployment, "working")
    Task.objects.filter(pk=task.id).update(last_seq=4)
    assert news.tasks_take([news_of(task, EVENTS["progress"])]) == [(task.id, 4)]
    task.refresh_from_db()
    assert (task.state, task.progress) == (State.WORKING, {})


@pytest.mark.parametrize(
    ("events", "exchange"),
    [([], EXCHANGE), ([RESULT], "r1.boot.task-x-0"), ([Event(4, Kind.LOST, b"", "gone")], EXCHANGE)],
    ids=["too large to come along", "of an earlier attempt", "lost"],
)
def test_what_cannot_come_along_is_left_to_a_job_of_its_own(
    deployment: Any, queued: list[tuple[str, list[Any]]], events: list[Event], exchange: str
) -> None:
    apart, other = make_task(deployment, "working"), make_task(deployment, "working")
    taken = news.tasks_take([news_of(apart, *events, exchange=exchange), news_of(other, RESULT)])
    assert taken == [(other.id, 4)]
    assert queued == [("advance_task", [apart.id])]
    apart.refresh_from_db()
    assert apart.state == State.WORKING


def test_nobody_waits_for_a_row_that_somebody_else_has_locked(
    deployment: Any, queued: list[tuple[str, list[Any]]]
) -> None:
    locked, other = make_task(deployment, "working"), make_task(deployment, "working")
    is_locked, go_on = threading.Event(), threading.Event()

    def lock() -> None:
        with transaction.atomic():
            Task.objects.select_for_update().get(pk=locked.id)
            is_locked.set()
            go_on.wait(20)
        connection.close()

    thread = threading.Thread(target=lock)
    thread.start()
    try:
        assert is_locked.wait(20)
        assert news.tasks_take([news_of(locked, RESULT), news_of(other, RESULT)]) == [(other.id, 4)]
    finally:
        go_on.set()
        thread.join()
    assert queued == [("advance_task", [locked.id])]


def test_one_that_no_column_holds_does_not_keep_others_from_being_taken(
    deployment: Any, queued: list[tuple[str, list[Any]]]
) -> None:
    bad, other = make_task(deployment, "working"), make_task(deployment, "working")
    Task.objects.filter(pk=bad.id).update(last_seq=0)
    too_long = TaskNews(bad.id, EXCHANGE, "i" * 1000, [RESULT])
    assert news.tasks_take([too_long, news_of(other, RESULT)]) == []
    assert sorted(queued) == sorted([("advance_task", [bad.id]), ("advance_task", [other.id])])


def test_a_character_that_no_column_holds_is_shown_as_unknown(deployment: Any) -> None:
    task = make_task(deployment, "working")
    words = Event(4, Kind.PROGRESS, rb'{"progress":1,"message":"a\u0000b"}')
    assert news.tasks_take([news_of(task, words)]) == [(task.id, 4)]
    task.refresh_from_db()
    assert task.reason == "a\ufffdb"


@pytest.mark.parametrize("step", [Step.READ, Step.TAKEN])
def test_a_worker_that_dies_of_many_loses_none_and_runs_none_twice(
    runner_process: RunnerProcess,
    queued: list[tuple[str, list[Any]]],
    kill_at: Callable[[Step], Any],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    step: Step,
) -> None:
    runner = make_runner(address=runner_process.address)
    made = make_deployment(make_user(), argv=server_argv("legacy"), read_only=READ_ONLY)
    deployment_inspect(made.pk)  # which places it
    tasks = [create(made, "slow", seconds=0.1) for _ in range(3)]
    for task in tasks:
        starting.task_start(task.id)
    with kill_at(step), pytest.raises(Killed, match=step):
        while True:  # until there is something to take
            news.news_take(runner.name)
    monkeypatch.setattr(news, "FORGOTTEN_SECONDS", 0.0)
    for task in tasks:
        task.refresh_from_db()
        sweep_until_over(task, queued)
        assert (task.outcome, outcome(task), task.attempts) == (Outcome.RESULT, "done", 1)
    count = create(made, "count")
    sweep_until_over(count, queued)
    assert outcome(count) == "3"
    news.news_take(runner.name, again=True)
    assert news._ask(runner.address, GetNews(older_than_seconds=0.0)).tasks == []
