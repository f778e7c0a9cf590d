"""The plots of a deployment's activity: which there are, and what each says to who does not see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.dates import MONTHS_3, WEEKDAYS_ABBR
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from hosting.plots import geometry
from hosting.plots.drawing import Label, drawn, tabled
from hosting.plots.geometry import Axis, Column
from hosting.templatetags.humane import milliseconds
from hosting.usage.activity import PERIODS, Activity, Period, Span, TaskGroup

# How a mark looks, by the class of its path: none is told apart by colour alone.
FULL, HATCHED, OPEN_BAR, DOTTED = "plot-full", "plot-hatched", "plot-open", "plot-dotted"
LINE, DASHES, ROUND, SQUARE = "plot-line", "plot-dashes", "plot-round", "plot-square"

_GROUP_NAMES: dict[TaskGroup, Promise] = {
    TaskGroup.COMPLETED: gettext_lazy("Completed"),
    TaskGroup.FAILED: gettext_lazy("Failed"),
    TaskGroup.CANCELLED: gettext_lazy("Cancelled"),
    TaskGroup.OPEN: gettext_lazy("Open"),
}
_GROUP_MARKS = {
    TaskGroup.COMPLETED: FULL,
    TaskGroup.FAILED: HATCHED,
    TaskGroup.CANCELLED: OPEN_BAR,
    TaskGroup.OPEN: DOTTED,
}
_PERIOD_NAMES: dict[str, Promise] = {
    "24h": gettext_lazy("24 hours"),
    "7d": gettext_lazy("7 days"),
    "30d": gettext_lazy("30 days"),
}


@dataclass(frozen=True)
class Mark:
    """One entry of a legend. `figure` is the whole period's; `dot` is the style of a line's points, "" for bars."""

    style: str
    name: str
    figure: str
    dot: str = ""


@dataclass(frozen=True)
class Plot:
    """`drawing` is "" where there was nothing to draw. `words` say all of it in a sentence."""

    key: str
    title: str
    words: str
    marks: list[Mark]
    drawing: str


@dataclass(frozen=True)
class Row:
    """One span with something in it, for the table."""

    span: Span
    html: SafeString


@dataclass(frozen=True)
class When:
    """What all plots say of their spans: `words` and column of each, and the `labels` below."""

    words: list[str]
    labels: list[Label]
    columns: list[Column]

    @classmethod
    def of(cls, activity: Activity) -> When:
        spans, period = activity.spans, activity.period
        words = [_time(span.start, period) for span in spans]
        return cls(words, _times(spans, period), geometry.columns(len(spans)))


@dataclass(frozen=True)
class Choice:
    key: str
    name: str
    is_chosen: bool


@dataclass(frozen=True)
class Panel:
    """All that the page shows of a deployment's activity."""

    period: str
    is_empty: bool
    choices: list[Choice]
    plots: list[Plot]
    rows: list[Row]
    task_groups: list[str]


def panel_of(activity: Activity) -> Panel:
    chosen = activity.period
    when = When.of(activity)
    drawn = () if activity.is_empty else (_calls, _durations, _cold, _tasks)
    return Panel(
        period=str(_PERIOD_NAMES[chosen.key]),
        is_empty=activity.is_empty,
        choices=[Choice(key, str(_PERIOD_NAMES[key]), key == chosen.key) for key in PERIODS],
        plots=[draw(activity, when) for draw in drawn],
        rows=[
            _row(span, time)
            for span, time in zip(reversed(activity.spans), reversed(when.words), strict=True)
            if span.calls or span.tasks
        ],
        task_groups=[str(_GROUP_NAMES[group]) for group in TaskGroup],
    )


def _row(span: Span, time: str) -> Row:
    took = [duration(span.p50), duration(span.p95)]
    tasks = [span.tasks[group] for group in TaskGroup]
    return Row(span, tabled(time, [span.calls, span.errors, *took, span.cold_starts, *tasks]))


# --- the plots


def _calls(activity: Activity, when: When) -> Plot:
    good = [span.calls - span.errors for span in activity.spans]
    errors = [span.errors for span in activity.spans]
    total = activity.total
    marks = [Mark(FULL, _("Calls"), compact(total.calls)), Mark(HATCHED, _("Errors"), compact(total.errors))]
    layers = [(FULL, good), (HATCHED, errors)]
    return _bars(
        "calls",
        _("Calls and errors"),
        activity,
        when,
        marks,
        layers,
        lambda span: f"{_n_calls(span)}, {_n_errors(span)}",
    )


def _durations(activity: Activity, when: When) -> Plot:
    halves, most = [span.p50 for span in activity.spans], [span.p95 for span in activity.spans]
    axis = geometry.axis([value for value in most if value is not None], is_whole=False)
    paths = [
        (DASHES, geometry.line(most, axis)),
        (SQUARE, geometry.dots(most, axis)),
        (LINE, geometry.line(halves, axis)),
        (ROUND, geometry.dots(halves, axis)),
    ]
    total = activity.total
    marks = [Mark(LINE, "p50", duration(total.p50), ROUND), Mark(DASHES, "p95", duration(total.p95), SQUARE)]
    if not total.steps:
        paths = []
    return _plot("durations", _("How long calls take"), activity, when, marks, paths, axis, duration, _took)


def _cold(activity: Activity, when: When) -> Plot:
    marks = [Mark(FULL, _("Cold starts"), compact(activity.total.cold_starts))]
    layers = [(FULL, [span.cold_starts for span in activity.spans])]
    return _bars("cold", _("Calls that waited for a start"), activity, when, marks, layers, _n_cold)


def _tasks(activity: Activity, when: When) -> Plot:
    marks = [
        Mark(_GROUP_MARKS[group], str(_GROUP_NAMES[group]), compact(count))
        for group in TaskGroup
        if (count := activity.total.tasks[group])
    ]
    layers = [(_GROUP_MARKS[group], [span.tasks[group] for span in activity.spans]) for group in TaskGroup]
    return _bars("tasks", _("Tasks by when they began"), activity, when, marks, layers, _n_tasks)


def _bars(
    key: str,
    title: str,
    activity: Activity,
    when: When,
    marks: list[Mark],
    layers: Sequence[tuple[str, list[int]]],
    words: Callable[[Span], str],
) -> Plot:
    """Each layer stands on those before it."""
    heights = [0] * len(activity.spans)
    axis = geometry.axis([sum(column) for column in zip(*(values for _, values in layers), strict=True)], is_whole=True)
    paths = []
    for style, values in layers:
        if any(values):
            paths.append((style, geometry.bars(values, heights, axis)))
        heights = [height + value for height, value in zip(heights, values, strict=True)]
    return _plot(key, title, activity, when, marks, paths, axis, compact, words)


def _plot(
    key: str,
    title: str,
    activity: Activity,
    when: When,
    marks: list[Mark],
    paths: list[tuple[str, str]],
    axis: Axis,
    value: Callable[[float], str],
    words: Callable[[Span], str],
) -> Plot:
    period, spans = activity.period, activity.spans
    return Plot(
        key=key,
        title=title,
        words=_("%(title)s in the last %(period)s: %(figures)s.")
        % {"title": title, "period": _PERIOD_NAMES[period.key], "figures": words(activity.total)},
        marks=marks,
        drawing=drawn(
            [Label(y, value(number)) for y, number in axis.lines],
            when.labels,
            paths,
            [
                (column, f"{time}: {words(span)}")
                for column, span, time in zip(when.columns, spans, when.words, strict=True)
                if span.calls or span.tasks
            ],
        )
        if paths
        else "",
    )


# --- words


def compact(number: float) -> str:
    """ "950", "1.2k", "3.4M": for an axis, where there is no room for more."""
    for size, sign in ((1_000_000, "M"), (1000, "k")):
        if number >= size:
            return f"{number / size:.3g}{sign}" if number < 1000 * size else f"{number / size:.0f}{sign}"
    return f"{number:g}"


def duration(microseconds: float | None) -> str:
    if microseconds is None:
        return "–"
    return milliseconds(round(microseconds)) if microseconds else "0"


def _n_calls(span: Span) -> str:
    return ngettext("%(count)d call", "%(count)d calls", span.calls) % {"count": span.calls}


def _n_errors(span: Span) -> str:
    return ngettext("%(count)d error", "%(count)d errors", span.errors) % {"count": span.errors}


def _n_cold(span: Span) -> str:
    return ngettext("%(count)d cold start", "%(count)d cold starts", span.cold_starts) % {"count": span.cold_starts}


def _took(span: Span) -> str:
    return f"p50 {duration(span.p50)}, p95 {duration(span.p95)}"


def _n_tasks(span: Span) -> str:
    count = span.tasks.total()
    words = ngettext("%(count)d task", "%(count)d tasks", count) % {"count": count}
    groups = ", ".join(f"{span.tasks[group]} {_GROUP_NAMES[group]}".lower() for group in TaskGroup if span.tasks[group])
    return f"{words} ({groups})" if groups else words


def _time(start: datetime, period: Period) -> str:
    """ "Sat 21 Nov", "Sat 21 Nov, 12:00–18:00"; in UTC, as all of the site."""
    day = f"{WEEKDAYS_ABBR[start.weekday()]} {start.day} {MONTHS_3[start.month]}".capitalize()
    if period.hours == 24:
        return day
    return f"{day}, {start.hour:02}:00–{(start.hour + period.hours) % 24:02}:00"


def _times(spans: Sequence[Span], period: Period) -> list[Label]:
    """A few, where something begins: every six hours, every second day, every seventh; none that would be cut off."""
    found = []
    for place, span in enumerate(spans):
        start = span.start
        back = len(spans) - 1 - place
        if period.hours == 1 and start.hour % 6 == 0:
            text = f"{start.hour:02}:00"
        elif period.hours == 6 and start.hour == 0 and back // 4 % 2 == 0:
            text = f"{WEEKDAYS_ABBR[start.weekday()]} {start.day}".capitalize()
        elif period.hours == 24 and back % 7 == 0:
            text = f"{start.day} {MONTHS_3[start.month]}".title()
        else:
            continue
        at = min(geometry.middle(place, len(spans)), geometry.WIDTH - 18)
        found.append(Label(geometry.attribute(at), text))
    return found
