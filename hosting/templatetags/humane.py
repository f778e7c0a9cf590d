"""Filters that put values into the words of the pages. Pure: they read nothing but their arguments."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from typing import Any

from django import template
from django.utils.dates import MONTHS
from django.utils.formats import get_format, number_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext_lazy
from django.utils.translation import gettext as _

from common import clock
from hosting.reasons import in_words
from hosting.tools.invisible import shown

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86_400
_UNITS = {
    "ms": pgettext_lazy("unit of time", "ms"),
    "s": pgettext_lazy("unit of time", "s"),
    "min": pgettext_lazy("unit of time", "min"),
    "h": pgettext_lazy("unit of time", "h"),
    "d": pgettext_lazy("unit of time", "d"),
}
# What a runner says of an instance (hosting/runner/life.py).
_INSTANCE = {
    "starting": gettext_lazy("Starting"),
    "running": gettext_lazy("Running"),
    "stopping": gettext_lazy("Stopping"),
    "stopped": gettext_lazy("Stopped"),
    "failed": gettext_lazy("Failed"),
}


@register.filter
def ago(at: datetime | None) -> str:
    """How long ago, in one unit: "just now", "5 minutes ago", "3 days ago". The exact time belongs beside it."""
    if at is None:
        return _("never")
    seconds = max(0, int((clock.now() - at).total_seconds()))
    if seconds < 45:
        return _("just now")
    if seconds < HOUR:
        minutes = max(1, round(seconds / MINUTE))
        return ngettext("%(count)d minute ago", "%(count)d minutes ago", minutes) % {"count": minutes}
    if seconds < DAY:
        hours = seconds // HOUR
        return ngettext("%(count)d hour ago", "%(count)d hours ago", hours) % {"count": hours}
    days = seconds // DAY
    return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}


@register.filter
def ahead(at: datetime | None) -> str:
    """How long from now, in one unit: "in 5 minutes", "in 30 days". The exact time belongs beside it."""
    if at is None:
        return ""
    seconds = max(0, (at - clock.now()).total_seconds())
    if seconds < 45:
        return _("in a moment")
    if seconds < HOUR:
        minutes = max(1, round(seconds / MINUTE))
        return ngettext("in %(count)d minute", "in %(count)d minutes", minutes) % {"count": minutes}
    if seconds < DAY:
        hours = round(seconds / HOUR)
        return ngettext("in %(count)d hour", "in %(count)d hours", hours) % {"count": hours}
    days = round(seconds / DAY)
    return ngettext("in %(count)d day", "in %(count)d days", days) % {"count": days}


@register.filter
def iso(at: datetime | None) -> str:
    """For programs: `date:"c"` says the same and takes twenty times as long, which counts in lists."""
    return at.isoformat(timespec="seconds") if at is not None else ""


@register.filter(expects_localtime=True)
def exact_time(at: datetime | None) -> str:
    """`date:"j F Y, H:i:s e"`, for lists as well."""
    if at is None:
        return ""
    return f"{at.day} {MONTHS[at.month]} {at.year}, {at:%H:%M:%S} {at.tzname() or ''}".rstrip()


@register.simple_tag(name="time")
def time_element(at: datetime | None) -> SafeString:
    """How long ago, with the exact time, in UTC as all of the site, where a pointer rests."""
    exact = at.astimezone(UTC) if at is not None else None
    return mark_safe(f'<time datetime="{iso(exact)}" title="{escape(exact_time(exact))}">{escape(ago(at))}</time>')


@register.filter
def pretty_json(value: Any) -> str:
    """JSON as people read it; the template escapes it like any text."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def visible(value: Any) -> str:
    """What a server says, with every character that could not be seen written out."""
    return shown(str(value)) if value is not None else ""


@register.filter
def milliseconds(microseconds: int) -> str:
    """ "3.2 ms", "1.25 s": three digits that matter."""
    size, unit = (1000, _unit("ms")) if microseconds < 1_000_000 else (1_000_000, _unit("s"))
    value = microseconds / size
    return f"{_pointed(f'{value:.3g}')} {unit}" if value < 100 else f"{value:.0f} {unit}"


@register.filter
def span(seconds: float | None) -> str:
    """A length of time in at most two units: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min", "4 d 3 h"."""
    if seconds is None:
        return ""
    if seconds < 10:
        number = f"{max(seconds, 0):.1f}" if seconds % 1 >= 0.05 else f"{max(seconds, 0):.0f}"
        return f"{_pointed(number)} {_unit('s')}"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} {_unit('s')}"
    if whole < HOUR:
        return _two(whole, MINUTE, "min", 1, "s")
    return _two(whole, HOUR, "h", MINUTE, "min") if whole < DAY else _two(whole, DAY, "d", HOUR, "h")


def _two(whole: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = whole % large // small
    return f"{whole // large} {_unit(large_name)}" + (f" {rest} {_unit(small_name)}" if rest else "")


def _pointed(number: str) -> str:
    """A number as Python writes it, with what the reader's language has in the place of the point."""
    return number.replace(".", str(get_format("DECIMAL_SEPARATOR")))


def _unit(name: str) -> str:
    """Of `_UNITS`, in the reader's language."""
    return _unit_in(get_language(), name)


@lru_cache  # lists have a hundred of them
def _unit_in(_language: str | None, name: str) -> str:
    return str(_UNITS[name])


@register.filter
def rate(per_second: float | None) -> str:
    """How often in the unit that makes it a number to read: "12 a second", "4 a minute", "3 an hour"."""
    if not per_second or per_second <= 0:
        return ""
    for seconds, words in ((1, _("a second")), (MINUTE, _("a minute")), (HOUR, _("an hour"))):
        count = per_second * seconds
        if count >= 1 or seconds == HOUR:
            number = _pointed(f"{count:.3g}") if count < 1000 else number_format(round(count), force_grouping=True)
            return f"{number} {words}"
    return ""


@register.filter
def instance_state(state: str) -> str:
    """The word for the state of a running copy; one that is not known here as it is."""
    return str(_INSTANCE.get(state, state))


@register.filter
def reason(sentence: str) -> str:
    """A sentence that a row keeps in English, in the page's language."""
    return in_words(sentence)
