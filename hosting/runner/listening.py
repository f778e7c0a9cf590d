"""What listeners want to hear: filters, their union, and what each is told. Pure.

`subscriptions/listen` outlives an instance: its exchange waits while the server sleeps and is sent again to the next.
Nobody watched meanwhile, so each thing that was subscribed to counts as changed.
Source: 2026-07-28 basic/patterns/subscriptions.
"""

from __future__ import annotations

from collections.abc import Iterable

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


class Filter(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True, forbid_unknown_fields=True):
    """The notifications that a listener asked for, or a server agreed to send."""

    tools_list_changed: bool = False
    prompts_list_changed: bool = False
    resources_list_changed: bool = False
    resource_subscriptions: tuple[str, ...] = ()

    @classmethod
    def of(cls, flags: Iterable[bool], uris: Iterable[str] = ()) -> Filter:
        """`flags` in the order of CHANGES."""
        tools, prompts, resources = flags
        return cls(tools, prompts, resources, tuple(uris))

    @property
    def flags(self) -> tuple[bool, bool, bool]:
        """In the order of CHANGES."""
        return self.tools_list_changed, self.prompts_list_changed, self.resources_list_changed

    def covers(self, other: Filter) -> bool:
        return common(self, other) == common(other, other)

    def hears(self, method: str, uri: str) -> bool:
        """`uri` may be that of a sub-resource of one that was asked for (ResourceUpdatedNotificationParams)."""
        if method == RESOURCE_UPDATED:
            return any(uri == one or uri.startswith(one.rstrip("/") + "/") for one in self.resource_subscriptions)
        return dict(zip(CHANGES, self.flags, strict=True)).get(method, False)


EVERY_CHANGE = (True, True, True)


def union(filters: Iterable[Filter]) -> Filter:
    """What any of them hears; the same union is always written alike."""
    each = list(filters)
    flags = (any(one.flags[place] for one in each) for place in range(3))
    return Filter.of(flags, sorted({uri for one in each for uri in one.resource_subscriptions}))


def common(one: Filter, other: Filter) -> Filter:
    """What both hear."""
    flags = (a and b for a, b in zip(one.flags, other.flags, strict=True))
    return Filter.of(flags, sorted({*one.resource_subscriptions} & {*other.resource_subscriptions}))


class _Listen(msgspec.Struct):
    notifications: Filter = msgspec.field(default_factory=Filter)


class _AnyFilter(msgspec.Struct, rename="camel"):
    tools_list_changed: bool = False
    prompts_list_changed: bool = False
    resources_list_changed: bool = False
    resource_subscriptions: tuple[str, ...] = ()


class _Acknowledged(msgspec.Struct):
    notifications: _AnyFilter = msgspec.field(default_factory=_AnyFilter)


_decode_listen = msgspec.json.Decoder(_Listen).decode
_decode_acknowledged = msgspec.json.Decoder(_Acknowledged).decode


def wanted_by(params: bytes) -> Filter | None:
    """The filter of a listen request's raw parameters; None where it has members that are not known here."""
    try:
        return _decode_listen(params or b"{}").notifications
    except msgspec.DecodeError:
        return None


def honoured_by(acknowledgement: bytes) -> Filter:
    """What a server agreed to, from its raw acknowledgement; of it, what is known here."""
    try:
        found = _decode_acknowledged(acknowledgement or b"{}").notifications
    except msgspec.DecodeError:
        return Filter()
    return Filter(
        found.tools_list_changed,
        found.prompts_list_changed,
        found.resources_list_changed,
        found.resource_subscriptions,
    )


def acknowledgement(honoured: Filter) -> bytes:
    return _encode({"notifications": honoured})


def missed(acknowledgement: bytes) -> list[tuple[str, bytes]]:
    """(method, params) of everything that may have changed while nobody looked, from the raw acknowledgement."""
    honoured = honoured_by(acknowledgement)
    found = [(method, b"") for method, flag in zip(CHANGES, honoured.flags, strict=True) if flag]
    return found + [(RESOURCE_UPDATED, _encode({"uri": uri})) for uri in honoured.resource_subscriptions]
