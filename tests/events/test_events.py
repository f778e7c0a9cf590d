"""The audit row and events on commit."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import DatabaseError, connection, transaction

from common import ids
from events import types
from events.actors import OPERATOR, person
from events.audit import record
from events.models import AuditEntry
from events.publish import publish_on_commit
from events.sending import sender
from events.types import BuildProgress, DeploymentChanged


@pytest.mark.django_db
def test_audit_row_says_who_did_what() -> None:
    user_id = ids.new_uuid()
    record(person(user_id), "thing:make", "thing", 7, colour="red")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject_type, entry.subject_id) == (
        f"user:{user_id}",
        "thing:make",
        "thing",
        "7",
    )
    assert entry.data == {"colour": "red"}


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["UPDATE events_auditentry SET actor = 'nobody'", "DELETE FROM events_auditentry"])
def test_database_refuses_to_change_audit_rows(change: str) -> None:
    record(OPERATOR, "thing:make", "thing", 1)
    refusal = pytest.raises(DatabaseError, match="never changed or deleted")
    with refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert AuditEntry.objects.get().actor == "operator"


@pytest.mark.django_db
def test_model_refuses_too() -> None:
    entry = record(OPERATOR, "thing:make", "thing", 1)
    with pytest.raises(TypeError, match="never changed"):
        entry.save()
    with pytest.raises(TypeError, match="never deleted"):
        entry.delete()


@pytest.mark.parametrize("event", [DeploymentChanged("d1"), BuildProgress("d1", "resolving", 0.5)])
def test_events_survive_the_wire(event: types.Event) -> None:
    assert types.from_message(types.to_message(event)) == event
    assert event.groups == ("deployment.d1",)


def test_a_tasks_change_is_told_to_its_followers_and_to_its_users() -> None:
    assert types.TaskChanged("t1", "u1").groups == ("tasks", "tasks.u1")
    assert types.TaskChanged("t1").groups == ("tasks",)
    assert types.TaskChanged("t1", "u1", is_new=True).groups == ("tasks.u1",)


def test_what_happens_to_many_tasks_is_one_event_for_each_group() -> None:
    progress = BuildProgress("d1", "resolving", 0.5)
    of_first = types.TaskChanged("t1", "u1")
    changed: list[types.Event] = [of_first, progress, types.TaskChanged("t2", "u2"), of_first]
    together = types.gathered(changed)
    assert together == [
        progress,
        types.TasksChanged("tasks", ["t1", "t2"]),
        types.TasksChanged("tasks.u1", ["t1"]),
        types.TasksChanged("tasks.u2", ["t2"]),
    ]
    assert [types.from_message(types.to_message(event)) for event in together] == together


def test_unknown_event_is_passed_over() -> None:
    assert types.from_message({"type": "event.received", "event": "later:thing", "data": {"x": 1}}) is None


def _receive_one(group: str, send: Any) -> dict[str, Any] | None:
    """What a follower of the group gets of what `send` publishes: the first message, or None for none."""

    async def run() -> dict[str, Any] | None:
        from asgiref.sync import sync_to_async

        layer = get_channel_layer()
        assert layer is not None
        channel = await layer.new_channel()
        await layer.group_add(group, channel)
        await sync_to_async(send)()
        assert await asyncio.to_thread(sender.idle, 60)
        await layer.send(channel, {"type": "end"})
        message: dict[str, Any] = await layer.receive(channel)
        return None if message["type"] == "end" else message

    return async_to_sync(run)()


@pytest.mark.django_db(transaction=True)
def test_event_is_sent_when_its_transaction_commits() -> None:
    def change() -> None:
        with transaction.atomic():
            publish_on_commit(DeploymentChanged("d2"))

    message = _receive_one("deployment.d2", change)
    assert message is not None
    assert types.from_message(message) == DeploymentChanged("d2")


@pytest.mark.django_db(transaction=True)
def test_event_of_a_rolled_back_transaction_is_never_sent() -> None:
    def change() -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            publish_on_commit(DeploymentChanged("d3"))
            raise ZeroDivisionError

    assert _receive_one("deployment.d3", change) is None
