"""What one instance may use: the platform's default, what the owner chose, and the operator's ceiling over both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from django.conf import settings
from django.utils.translation import gettext

from common import sizes
from common.errors import BadInput
from hosting.runner.placement import Limits

MAX_IDLE_SECONDS: Final = 24 * 3600
_DEFAULT: Final = Limits()
# What an owner may choose, with the least that makes sense. Anything else is the operator's.
_LEAST: Final = {"memory_bytes": 32 * sizes.MIB, "processes": 4, "disk_bytes": sizes.MIB, "message_bytes": 64 * 1024}


@dataclass(frozen=True)
class Bound:
    """One limit that an owner may choose. Both ends belong to it."""

    name: str
    least: int
    most: int
    default: int

    @property
    def is_bytes(self) -> bool:
        return self.name.endswith("_bytes")


def bounds() -> dict[str, Bound]:
    ceilings: Mapping[str, int] = settings.SLIPWAY_CEILINGS
    return {
        name: Bound(name, least, max(least, ceilings[name]), min(getattr(_DEFAULT, name), ceilings[name]))
        for name, least in _LEAST.items()
    }


def check(chosen: Mapping[str, int | None]) -> dict[str, int]:
    """What to keep of an owner's choice; None is the default. Raises BadInput with the field's name."""
    known = bounds()
    kept: dict[str, int] = {}
    for name, value in chosen.items():
        bound = known.get(name)
        if bound is None:
            raise BadInput("limit_unknown", gettext("There is no limit named %(name)s.") % {"name": name}, field=name)
        if value is None:
            continue
        if not bound.least <= value <= bound.most:
            least, most = (words(each, bound.is_bytes) for each in (bound.least, bound.most))
            raise BadInput(
                "limit_out_of_range",
                gettext("This is from %(least)s to %(most)s on this site.") % {"least": least, "most": most},
                field=name,
            )
        kept[name] = value
    return kept


def limits_of(column: Mapping[str, Any]) -> Limits:
    """As a runner gets them: a ceiling that was lowered since holds too."""
    chosen = msgspec.convert(dict(column), Limits)
    capped = {name: min(getattr(chosen, name) or bound.most, bound.most) for name, bound in bounds().items()}
    return msgspec.structs.replace(chosen, **capped)


def idle_seconds_of(chosen: int | None) -> float:
    return float(settings.SLIPWAY_IDLE_SECONDS if chosen is None else chosen)


def check_idle(seconds: int | None) -> None:
    least = settings.SLIPWAY_LEAST_IDLE_SECONDS
    if seconds is not None and not least <= seconds <= MAX_IDLE_SECONDS:
        raise BadInput(
            "idle_out_of_range",
            gettext("This is from %(least)s to %(max_idle_seconds)s seconds.")
            % {"least": least, "max_idle_seconds": MAX_IDLE_SECONDS},
            field="idle_seconds",
        )


def words(value: int, is_bytes: bool) -> str:
    if not is_bytes:
        return str(value)
    return sizes.mebibytes(value) if value % sizes.MIB == 0 else sizes.kibibytes(value)
