"""Values that wait because a server has changed, as the API shows and confirms them. Never a value."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.api.fields import StrictSerializer
from hosting.credentials.suspension import Shown, Waiting


class DifferenceSerializer(serializers.Serializer[Any]):
    """Something that is another one now."""

    what = serializers.CharField(help_text="package, address, owner, uploaded source, or used as.")
    before = serializers.CharField(help_text="When the value was stored.")
    now = serializers.CharField()


class HeldBackSerializer(serializers.Serializer[Any]):
    """A value that the server does not get until somebody has confirmed what is different."""

    key = serializers.CharField()
    set_at = serializers.DateTimeField()
    is_organizations = serializers.BooleanField(help_text="The organization's, for its members.")
    is_yours_to_confirm = serializers.BooleanField()
    changes = DifferenceSerializer(many=True)


class HeldBackListSerializer(serializers.Serializer[Any]):
    items = HeldBackSerializer(many=True)
    mark = serializers.CharField(help_text="Stands for exactly these differences: it confirms them and no others.")


class ConfirmedSerializer(StrictSerializer):
    mark = serializers.CharField(max_length=64, help_text="As it was shown with the differences.")


def held_back_shown(shown: Shown) -> dict[str, Any]:
    """What HeldBackListSerializer writes."""
    return {
        "mark": shown.mark,
        "items": [*map(_one, shown.waiting), *(_one(one, is_own=False) for one in shown.others)],
    }


def _one(one: Waiting, *, is_own: bool = True) -> dict[str, Any]:
    changes = [{"what": what, "before": before, "now": now} for what, before, now in one.changes]
    return {
        "key": one.key,
        "set_at": one.set_at,
        "is_organizations": one.is_organizations,
        "is_yours_to_confirm": is_own,
        "changes": changes,
    }
