"""All versions of a server, and what differs between two of them."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse

from registry import selectors
from registry.selectors import VERSIONS_SHOWN, Shown
from registry.views.page import show

MAX_LINES = 4000


@dataclass(frozen=True)
class Line:
    """`mark` is "+", "-", " ", or "…" where lines were left out."""

    mark: str
    text: str


def versions_page(request: HttpRequest, shown: Shown) -> HttpResponse:
    start = _number(request.GET.get("start", ""))
    rows = selectors.versions_of(shown.server, start)
    names = selectors.version_names(shown.server)
    old, new = request.GET.get("from", ""), request.GET.get("to", "")
    if not (old or new) and len(names) > 1:
        old, new = names[1], names[0]
    is_asked = bool(request.GET.get("from") or request.GET.get("to"))
    lines = compared(shown, old, new) if is_asked else None
    return show(
        request,
        shown,
        "versions",
        "versions",
        rows=rows[:VERSIONS_SHOWN],
        older=start + VERSIONS_SHOWN if len(rows) > VERSIONS_SHOWN else 0,
        names=names,
        old=old,
        new=new,
        is_asked=is_asked,
        lines=lines,
    )


def compared(shown: Shown, old: str, new: str) -> list[Line] | None:
    """None when one of them isn't there."""
    before, after = selectors.document_of(shown.server, old), selectors.document_of(shown.server, new)
    if before is None or after is None:
        return None
    return difference(before, after)


def difference(before: dict[str, Any], after: dict[str, Any]) -> list[Line]:
    """Two documents as lines with three of context; members in the documents' own order."""
    found = difflib.unified_diff(_lines(before), _lines(after), lineterm="", n=3)
    lines: list[Line] = []
    for number, line in enumerate(found):
        if number < 2:
            continue  # the names of files
        if line.startswith("@@"):
            if lines:
                lines.append(Line("…", ""))
        else:
            lines.append(Line(line[:1], line[1:]))
        if len(lines) >= MAX_LINES:
            break
    return lines


def _lines(document: dict[str, Any]) -> list[str]:
    return json.dumps(document, indent=2, ensure_ascii=False).splitlines()[: MAX_LINES * 2]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
