"""The list of servers, with search and filters. All of it is in the address, so that a search can be handed on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_safe

from registry.search import facets
from registry.search.finding import MAX_PAGES, PAGE, SORTS, Found, Search, find
from registry.views.marks import marked

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SORT_LABELS = {
    "relevance": gettext_lazy("Best match"),
    "updated": gettext_lazy("Updated"),
    "published": gettext_lazy("Newest"),
    "name": gettext_lazy("Name"),
}
OPEN_GROUPS = ("package", "runs", "secrets")


@dataclass(frozen=True)
class Choice:
    name: str
    label: StrOrPromise
    count: int
    is_chosen: bool


@dataclass(frozen=True)
class Filter:
    name: str
    label: StrOrPromise
    choices: list[Choice]
    is_open: bool
    is_single: bool = False


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    search = search_of(request.GET)
    found = find(search)
    shown = {group.name: [value.name for value in group.values if search.chosen.get(group.name, 0) >> value.bit & 1]
             for group in facets.GROUPS}  # fmt: skip
    chosen = {**shown, "updated": [search.age] if search.age else []}
    context: dict[str, Any] = {
        "search": search,
        "found": found,
        "rows": marked(found.rows),
        "filters": filters(search, found),
        "sorts": [(key, label, _sort_link(request.GET, key)) for key, label in SORT_LABELS.items()],
        "first": (search.page - 1) * search.page_size + 1,
        "last": (search.page - 1) * search.page_size + len(found.rows),
        "is_filtered": any(chosen.values()),
        "without_filters": urlencode({"q": search.text}) if search.text else "",
        "meant": re.sub(r"\w+", lambda word: found.corrected.get(word[0], word[0]), search.text.lower()),
        "previous": _page_link(request.GET, search.page - 1) if search.page > 1 else "",
        "next": _page_link(request.GET, search.page + 1) if found.has_more else "",
        "is_cut": found.total > MAX_PAGES * PAGE and search.page >= MAX_PAGES,
    }
    return render(request, "registry/browse.html", context)


def search_of(query: QueryDict) -> Search:
    """From an address, or from a program's parameters; what is not known counts for nothing."""
    chosen = {group.name: group.mask(query.getlist(group.name)) for group in facets.GROUPS}
    age, sort, page = query.get("updated", ""), query.get("sort", ""), query.get("page", "")
    return Search(
        text=query.get("q", "").replace("\0", " ")[:200],
        chosen={name: mask for name, mask in chosen.items() if mask},
        age=age if age in {name for name, _, _ in facets.AGES} else "",
        sort=sort if sort in SORTS else "",
        page=min(int(page), MAX_PAGES) if page.isascii() and page.isdigit() and 0 < len(page) < 6 and int(page) else 1,
    )


def filters(search: Search, found: Found) -> list[Filter]:
    """Groups with their counts; values that nothing has are left out, unless they are chosen. No group where there is
    nothing to narrow down."""
    if found.total < 2 and not search.chosen and not search.age:
        return []
    made = []
    for group in facets.GROUPS:
        mask, counts = search.chosen.get(group.name, 0), found.counts[group.name]
        choices = [
            Choice(value.name, value.label, counts[value.name], bool(mask >> value.bit & 1)) for value in group.values
        ]
        shown = [one for one in choices if one.count or one.is_chosen]
        if len(shown) > 1 or any(one.is_chosen for one in shown) or (shown and len(group.values) == 1):
            made.append(Filter(group.name, group.label, shown, bool(mask) or group.name in OPEN_GROUPS))
    ages = [Choice(name, label, found.counts["updated"][name], name == search.age) for name, label, _ in facets.AGES]
    made.append(
        Filter(
            "updated",
            gettext("Updated"),
            [Choice("", gettext("Any time"), 0, not search.age), *ages],
            bool(search.age),
            True,
        )
    )
    return made


def _sort_link(query: QueryDict, sort: str) -> str:
    there = query.copy()
    there.pop("page", None)
    there["sort"] = sort
    return there.urlencode()


def _page_link(query: QueryDict, page: int) -> str:
    there = query.copy()
    there["page"] = str(page)
    return there.urlencode()
