"""The transition table, and that a state changes only by it."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from common import ids
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting.models import Deployment
from hosting.services import deployment_move, deployment_note
from hosting.states import CALLABLE, SEEN, TO, State, sources
from tests.factories import make_deployment, make_queued, make_user


def test_every_state_can_be_left_but_deleting() -> None:
    assert TO.keys() == set(State)
    assert {state for state in State if not TO[state]} == {State.DELETING}
    for state in set(State) - {State.DELETING}:
        assert State.DELETING in TO[state]
        assert state not in TO[state]


def test_stopped_is_left_only_by_being_wanted_again() -> None:
    assert TO[State.STOPPED] == {State.QUEUED, State.READY, State.DELETING}
    assert SEEN <= CALLABLE
    assert State.STOPPED not in CALLABLE


@pytest.mark.parametrize("to", list(State))
def test_sources_are_the_table_read_backwards(to: State) -> None:
    assert sources(to) == {state for state in State if to in TO[state]}


@pytest.mark.django_db
def test_a_move_changes_audits_and_keeps_the_reason() -> None:
    deployment = make_queued(make_user())
    assert deployment_move(deployment.pk, State.BUILDING, "building", actor=OPERATOR)
    deployment.refresh_from_db()
    assert (deployment.state, deployment.reason) == ("building", "building")
    entry = AuditEntry.objects.get(action="deployment:move")
    assert (entry.data["before"], entry.data["after"], entry.actor) == ("queued", "building", "operator")


@pytest.mark.django_db
def test_a_move_that_isnt_in_the_table_does_nothing() -> None:
    deployment = make_queued(make_user())
    assert not deployment_move(deployment.pk, State.RUNNING, "running")
    assert not deployment_move(ids.new_uuid(), State.READY, "ready")
    assert not deployment_move(deployment.pk, State.BUILDING, "x", only_from=frozenset({State.READY}))
    deployment.refresh_from_db()
    assert deployment.state == "queued"
    assert not AuditEntry.objects.filter(action="deployment:move").exists()


@pytest.mark.django_db
def test_a_note_changes_words_only_in_that_state() -> None:
    deployment = make_queued(make_user())
    assert deployment_note(deployment.pk, State.QUEUED, "the queue is long")
    assert not deployment_note(deployment.pk, State.BUILDING, "building")
    deployment.refresh_from_db()
    assert deployment.reason == "the queue is long"


@pytest.mark.django_db
def test_the_database_knows_the_states_too() -> None:
    deployment = make_deployment(make_user())
    for change in ({"state": "odd"}, {"access": "odd"}, {"wanted": "odd"}, {"isolation": "odd"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Deployment.objects.filter(pk=deployment.pk).update(**change)


@pytest.mark.django_db(transaction=True)
def test_of_two_moves_at_once_one_happens() -> None:
    deployment = make_queued(make_user())
    start = threading.Barrier(4)
    moved: list[bool] = []

    def move() -> None:
        start.wait()
        try:
            moved.append(deployment_move(deployment.pk, State.BUILDING, "building"))
        finally:
            connection.close()

    threads = [threading.Thread(target=move) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(moved) == [False, False, False, True]
    assert AuditEntry.objects.filter(action="deployment:move").count() == 1
