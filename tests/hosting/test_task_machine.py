"""The services of tasks in any order, by two principals and by jobs that act on what they read long ago.

The model knows which change may happen; a row never does another thing, and nobody sees or ends another's task.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from common.errors import Conflict, NotFound
from hosting.models import Deployment, Runner, Task, TaskResult
from hosting.models.tasks import new_task_id
from hosting.runner.frames import Event, Kind
from hosting.tasks import accepting, services
from hosting.tasks.states import RUNNING, Outcome, Seen, State, advance
from tests.factories import make_deployment, make_runner, make_user

pytestmark = pytest.mark.slow

PRINCIPALS = ("alice", "bob")
QUESTION = b'{"method":"elicitation/create","params":{"message":"Sure?"}}'
WORDS = {
    Kind.PROGRESS: b'{"progress":1}',
    Kind.INPUT_REQUESTED: QUESTION,
    Kind.RESULT: b'{"content":[]}',
    Kind.ERROR: b'{"code":-32000,"message":"no"}',
}
KINDS = (Kind.PROGRESS, Kind.INPUT_REQUESTED, Kind.INPUT_ANSWERED, Kind.RESULT, Kind.ERROR, Kind.LOST)


@dataclass
class Known:
    """What a task's row must be."""

    principal: str
    state: State = State.ACCEPTED
    outcome: str = ""
    attempts: int = 0
    seq: int = 0
    exchange: str = ""
    bodies: int = 0
    exchanges: list[str] = field(default_factory=list)  # all that it ever had


class Tasks(RuleBasedStateMachine):
    deployment: Deployment
    runner: Runner
    rows = Bundle("rows")  # as some job or some client read them, however long ago

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, Known] = {}

    def teardown(self) -> None:
        Task.objects.all().delete()

    def wanted(self, principal: str, ttl_ms: int | None) -> accepting.Wanted:
        return accepting.Wanted(
            deployment_id=str(self.deployment.pk),
            version_id="",
            user_id=None,
            principal=principal,
            client="c",
            origin="2025-11-25",
            revision="2025-11-25",
            tool="work",
            params="{}",
            exchange_owner=principal,
            ttl_ms=ttl_ms,
        )

    # --- what begins a task

    @rule(target=rows, principal=st.sampled_from(PRINCIPALS), ttl_ms=st.sampled_from([None, 0, 10**12]))
    def create(self, principal: str, ttl_ms: int | None) -> Task:
        task = accepting.task_create(self.wanted(principal, ttl_ms))
        self.known[task.id] = Known(principal)
        return task

    @rule(target=rows, principal=st.sampled_from(PRINCIPALS))
    def convert(self, principal: str) -> Task:
        task_id = new_task_id()
        exchange = f"r1.boot.{task_id}-call"
        address = self.runner.address
        task = accepting.task_of_call(
            self.wanted(principal, None), task_id=task_id, runner_address=address, exchange=exchange
        )
        self.known[task.id] = Known(principal, State.WORKING, attempts=1, exchange=exchange, exchanges=[exchange])
        return task

    @rule(target=rows, row=rows)
    def read(self, row: Task) -> Task:
        return Task.objects.get(pk=row.pk)

    # --- what jobs do

    @rule(row=rows)
    def claim(self, row: Task) -> None:
        row = copy(row)  # it is brought up to date, and what was read is to stay what it was
        known, attempts = self.known[row.id], row.attempts
        exchange = f"r1.boot.task-{row.id}-{attempts + 1}"
        done = services.task_starting(row, runner=self.runner, exchange=exchange)
        assert done is (known.state is State.ACCEPTED and known.attempts == attempts)
        if done:
            assert exchange not in known.exchanges  # else its runner would take it for a call that ran already
            known.exchanges.append(exchange)
            known.state, known.attempts, known.exchange, known.seq = State.STARTING, attempts + 1, exchange, 0

    @rule(row=rows)
    def has_opened(self, row: Task) -> None:
        known = self.known[row.id]
        assert bool(services.tasks_running([row.id])) is (known.state is State.STARTING)
        if known.state is State.STARTING:
            known.state = State.WORKING

    @precondition(lambda self: any(known.state in RUNNING for known in self.known.values()))
    @rule(row=rows, kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    def take(self, row: Task, kinds: list[Kind]) -> None:
        if row.state not in RUNNING:
            return  # its job ends before that
        known = self.known[row.id]
        events = [Event(row.last_seq + n, kind, WORDS.get(kind, b""), "q1") for n, kind in enumerate(kinds, start=1)]
        seen = advance(Seen(row.last_seq, State(row.state), None, questions=row.questions), events)
        done = services.task_take(row, row.last_seq, seen)
        is_current = (known.attempts, known.exchange, known.seq) == (row.attempts, row.exchange, row.last_seq)
        assert done is (is_current and known.state in RUNNING)
        if done:
            known.state, known.outcome, known.seq = seen.state, seen.outcome or "", seen.seq
            known.bodies += bool(seen.body)

    @rule(row=rows)
    def begin_again(self, row: Task) -> None:
        known = self.known[row.id]
        done = services.task_again(row, "again")
        assert done is (known.state in RUNNING and known.attempts == row.attempts)
        if done:
            known.state, known.exchange, known.seq = State.ACCEPTED, "", 0

    @rule(row=rows)
    def lose(self, row: Task) -> None:
        known = self.known[row.id]
        is_current = (known.attempts, known.exchange) == (row.attempts, row.exchange)
        done = services.task_end(row, Outcome.LOST, "gone")
        assert done is (is_current and known.state is not State.ENDED)
        if done:
            known.state, known.outcome = State.ENDED, Outcome.LOST

    # --- what principals do

    def of(self, principal: str, task_id: str) -> Task:
        return services.task_of(principal, str(self.deployment.pk), task_id)

    @rule(row=rows, principal=st.sampled_from(PRINCIPALS))
    def cancel(self, row: Task, principal: str) -> None:
        known = self.known[row.id]
        result: Any = None
        try:
            result = services.task_cancel(self.of(principal, row.id))
        except (NotFound, Conflict) as error:
            result = type(error)
        if principal != known.principal:
            assert result is NotFound
        elif known.state is State.ENDED:
            assert result is Conflict
        else:
            assert (result.state, result.outcome) == (State.ENDED, Outcome.CANCELLED)
            known.state, known.outcome = State.ENDED, Outcome.CANCELLED

    @rule(row=rows, principal=st.sampled_from(PRINCIPALS))
    def look(self, row: Task, principal: str) -> None:
        known = self.known[row.id]
        if principal == known.principal:
            assert self.of(principal, row.id).state == known.state
            return
        errors = []
        for task_id in (row.id, "x" * len(row.id)):
            with pytest.raises(NotFound) as raised:
                self.of(principal, task_id)
            errors.append((raised.value.code, raised.value.message))
        assert errors[0] == errors[1]

    # --- always

    @invariant()
    def rows_are_what_is_known(self) -> None:
        for row in Task.objects.all():
            known = self.known[row.id]
            assert (row.state, row.outcome) == (known.state, known.outcome)
            assert (row.attempts, row.exchange if known.exchange else "") == (known.attempts, known.exchange)
            assert bool(row.outcome) is (row.state == State.ENDED)
            assert (row.state == State.INPUT_REQUIRED) is bool(row.questions)
            assert TaskResult.objects.filter(task=row).count() == known.bodies <= 1


@pytest.mark.django_db
def test_tasks_in_any_order() -> None:
    Tasks.deployment, Tasks.runner = make_deployment(make_user()), make_runner()
    few = settings(max_examples=8, stateful_step_count=15, suppress_health_check=list(HealthCheck), deadline=None)
    run_state_machine_as_test(Tasks, settings=few)
