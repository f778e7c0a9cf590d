"""Sending events to whoever follows them. An event is news, not a record: a silent Valkey never fails a change."""

from __future__ import annotations

from typing import Any

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from events.types import Event, to_message

log = structlog.get_logger(__name__)


def publish_on_commit(event: Event) -> None:
    """Sends when the surrounding transaction has committed; at once when there is none."""
    transaction.on_commit(lambda: publish(event), robust=True)


async def _send(layer: Any, event: Event) -> None:
    for group in event.groups:
        await layer.group_send(group, to_message(event))


def publish(event: Event) -> None:
    """Sends now. For what no transaction decides, such as progress."""
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(_send)(layer, event)
    except Exception as error:  # whatever the client library raises when Valkey is away
        log.warning("event_not_published", published=event.name, error=str(error))
