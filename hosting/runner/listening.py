"""What a listener agreed to hear, and what it must be told when its server comes back after a time of not looking.

`subscriptions/listen` outlives an instance: its exchange waits while the server sleeps and is sent again to the next.
Nobody watched meanwhile, so each thing that was subscribed to counts as changed. Pure.
Source: 2026-07-28 basic/patterns/subscriptions.
"""

from __future__ import annotations

import msgspec

LISTEN = "subscriptions/listen"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
CHANGES = {
    "notifications/tools/list_changed": "toolsListChanged",
    "notifications/prompts/list_changed": "promptsListChanged",
    "notifications/resources/list_changed": "resourcesListChanged",
}
RESOURCE_UPDATED = "notifications/resources/updated"

_encode = msgspec.json.Encoder().encode


class Filter(msgspec.Struct, rename="camel"):
    """The subset of notifications that a server agreed to honour."""

    tools_list_changed: bool = False
    prompts_list_changed: bool = False
    resources_list_changed: bool = False
    resource_subscriptions: list[str] = []


class Acknowledgement(msgspec.Struct):
    notifications: Filter = msgspec.field(default_factory=Filter)


def missed(acknowledgement: bytes) -> list[tuple[str, bytes]]:
    """(method, params) of everything that may have changed while nobody looked, from the raw acknowledgement."""
    try:
        honoured = msgspec.json.decode(acknowledgement, type=Acknowledgement).notifications
    except msgspec.DecodeError:
        return []
    flags = (honoured.tools_list_changed, honoured.prompts_list_changed, honoured.resources_list_changed)
    found = [(method, b"") for method, flag in zip(CHANGES, flags, strict=True) if flag]
    return found + [(RESOURCE_UPDATED, _encode({"uri": uri})) for uri in honoured.resource_subscriptions]
