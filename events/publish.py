"""Sending events to whoever follows them. An event is news, not a record: a silent Valkey never fails a change."""

from __future__ import annotations

from django.db import transaction

from events.sending import sender
from events.types import Event


def publish_on_commit(event: Event) -> None:
    """Sends when the surrounding transaction has committed; at once when there is none."""
    transaction.on_commit(lambda: publish(event), robust=True)


def publish(event: Event) -> None:
    """Sends now. For what no transaction decides, such as progress."""
    sender.put(event)
