"""Rows of the long lists, of calls and of tasks, drawn in Python: dozens on a page, each with badge, time and units.

What that gained, together with the changes beside it, stands in `benchmarks/README.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from django import template
from django.template.defaultfilters import filesizeformat, truncatechars
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from common.elements import badge, sign
from hosting.models import CallRecord
from hosting.tasks.shown import TaskShown
from hosting.tasks.states import Outcome, State
from hosting.templatetags.humane import iso, milliseconds, reason, span, time_element, visible

register = template.Library()

_STATUS: Final = dict(CallRecord.Status.choices)
_CALL_MARKS: Final[dict[str, tuple[str, str]]] = {  # of a badge: tone, icon
    CallRecord.Status.OK: ("good", "circle-check"),
    CallRecord.Status.CANCELLED: ("", "x"),
    CallRecord.Status.LEFT: ("", "x"),
    CallRecord.Status.REFUSED: ("warn", "lock"),
}
_TASK_MARKS: Final[dict[str, tuple[str, str]]] = {
    Outcome.RESULT: ("good", "circle-check"),
    Outcome.TOOL_ERROR: ("bad", "circle-x"),
    Outcome.ERROR: ("bad", "circle-x"),
    Outcome.LOST: ("bad", "circle-x"),
    State.INPUT_REQUIRED: ("warn", "circle-alert"),
    State.LACKING: ("warn", "circle-alert"),
    State.ACCEPTED: ("accent", "hourglass"),
}


@register.simple_tag
def call_row(call: CallRecord, names: Mapping[str, str], is_of_all: bool) -> SafeString:
    """One call in a list. `names` are those of OAuth clients by their ids; `is_of_all` says whose it was, too."""
    tool = f' <strong class="mono break">{_seen(call.tool)}</strong>' if call.tool else ""
    name = call.user.username if call.user else gettext("nobody known")
    who = f"{escape(name)} " if is_of_all else ""
    tone, icon = _CALL_MARKS.get(call.status, ("bad", "circle-x"))
    client = _seen(names.get(call.client) or call.client)
    words = escape(gettext("with a start")) if call.was_cold else ""
    cold = f' <span class="muted">{words}</span>' if words else ""
    return mark_safe(
        f"<tr><td>{time_element(call.at)}</td>"
        f'<td class="call-what"><code>{_seen(call.method)}</code>{tool}</td>'
        f'<td class="cell-wide">{who}<span class="muted break">{client}</span></td>'
        f'<td class="cell-state">{badge(_STATUS.get(call.status, call.status), tone, icon)}</td>'
        f'<td class="number nowrap call-time">{milliseconds(call.microseconds)}{cold}</td>'
        f'<td class="number nowrap cell-extra">{escape(filesizeformat(call.bytes_in))}</td>'
        f'<td class="number nowrap cell-extra">{escape(filesizeformat(call.bytes_out))}</td></tr>'
    )


@register.simple_tag
def task_row(shown: TaskShown, one_server: bool = False) -> SafeString:
    """One task in a list; `one_server` where all of them are of the same one."""
    task = shown.task
    server = "" if one_server else f'<td class="break cell-wide">{escape(task.deployment.label)}</td>'
    give = ""
    if shown.mark == State.LACKING and task.elicitation_id:
        page = reverse("elicit", args=(task.elicitation_id,))
        words = escape(gettext("Give them…"))
        give = f' <a class="small nowrap" href="{escape(page)}">{words}</a>'
    progress = render_to_string("tasks/_progress.html", {"shown": shown, "bare": True}) if shown.shows_progress else ""
    why = escape(truncatechars(visible(reason(shown.reason)), 100))
    why = f'<span class="task-reason muted">{why}</span>' if why else ""
    took = escape(span(shown.seconds))
    if shown.since:
        took = f'<span data-controller="elapsed" data-since="{iso(shown.since)}">{took}</span>'
    busy = "" if shown.is_ended else " data-busy"
    name = f'<a class="mono break" href="{reverse("tasks:task", args=(task.pk,))}">{_seen(task.tool)}</a>'
    return mark_safe(
        f'<tr class="server-row"{busy}><th scope="row"><span class="server-name">{name}</span></th>{server}'
        f'<td class="cell-state">{task_state(shown.mark, shown.label)}{give}</td>'
        f'<td class="cell-wide task-cell">{progress}{why}</td>'
        f'<td class="nowrap cell-took">{took}</td>'
        f'<td class="muted cell-when">{time_element(task.created_at)}</td>'
        f'<td class="muted break cell-wide">{_seen(shown.client) or "–"}</td></tr>'
    )


@register.simple_tag
def task_state(mark: str, label: str) -> SafeString:
    """The state of a task, or how it ended: icon and word, never colour alone."""
    if mark in (State.WORKING, State.STARTING):
        return format_html('<span class="badge badge-accent">{}{}</span>', sign("loader-circle", spin=True), label)
    tone, icon = _TASK_MARKS.get(mark, ("", "circle-stop"))
    return badge(label, tone, icon)


def _seen(text: str) -> str:
    return escape(visible(text))
