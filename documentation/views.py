"""Pages of the documentation. They ask for no database beyond what every page does."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from common import clock
from documentation.design import ExampleForm, TokenGroup, file_of_the_site, icon_names, token_groups
from documentation.library import library
from documentation.search import Entry, Index

MOST_QUERY_CHARACTERS = 200


@require_safe
def contents(request: HttpRequest) -> HttpResponse:
    return render(request, "documentation/contents.html", {"groups": library().groups()})


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    found = library().page(slug)
    before, after = library().beside(found)
    context = {"page": found, "before": before, "after": after, "groups": library().groups(), "title_language": "en"}
    return render(request, "documentation/page.html", context)


@require_safe
def source(request: HttpRequest, slug: str) -> HttpResponse:
    """The page's Markdown, for programs that read."""
    return HttpResponse(library().page(slug).text, content_type="text/markdown; charset=utf-8")


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "")[:MOST_QUERY_CHARACTERS].strip()
    results = _index().search(query)
    context = {"query": query, "results": results, "groups": library().groups()}
    return render(request, "documentation/search.html", context)


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    form = ExampleForm({"kind": "a", "is_on": "on"}, auto_id="example-%s")
    fold = ExampleForm(auto_id="fold-%s")
    context = {"groups": _tokens(), "form": form, "fold": fold, "now": clock.now(), "icons": _icons()}
    return render(request, "documentation/design.html", context)


@cache
def _tokens() -> list[TokenGroup]:
    return token_groups(file_of_the_site("css/tokens.css"))


@cache
def _icons() -> list[str]:
    return icon_names(file_of_the_site("icons/lucide.svg"))


@cache
def _index() -> Index:
    return Index(
        Entry(
            f"{page.url}#{section.anchor}" if section.anchor else page.url,
            page.content.title,
            section.title,
            text,
            page.source.weight,
        )
        for page in library().pages
        for section in page.content.sections
        if (text := section.text) or section.title
    )
