"""All pages of the documentation, read once for the life of a process and for each language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language, gettext

from common.errors import NotFound
from documentation.contents import Source, sources
from documentation.rendering import Rendered, rendered


@dataclass(frozen=True)
class Page:
    source: Source
    content: Rendered
    url: str
    text: str  # the Markdown it was made of


@dataclass(frozen=True)
class Library:
    pages: tuple[Page, ...]

    def groups(self) -> list[tuple[str, Sequence[Page]]]:
        return [(group, tuple(pages)) for group, pages in groupby(self.pages, lambda page: page.source.group)]

    def page(self, slug: str) -> Page:
        """Raises NotFound."""
        for page in self.pages:
            if page.source.slug == slug:
                return page
        raise NotFound(
            "not_found", gettext("There is no such page in the documentation. Search it, or begin at its contents.")
        )

    def beside(self, page: Page) -> tuple[Page | None, Page | None]:
        """The one before, the one after."""
        at = self.pages.index(page)
        before = self.pages[at - 1] if at else None
        return before, self.pages[at + 1] if at + 1 < len(self.pages) else None


def library() -> Library:
    return _library(get_language() or "")


@cache
def _library(language: str) -> Library:
    """Once for each language: the text is English, but not its buttons and labels."""
    return library_of(Path(settings.BASE_DIR), settings.SLIPWAY_URL)


def library_of(root: Path, site: str) -> Library:
    """`root` is the repository's folder, `site` the origin that examples name."""
    found = list(sources(root))
    urls = {source.path: reverse("documentation:page", args=[source.slug]) for source in found}
    pages = []
    for source in found:
        text = (root / source.path).read_text(encoding="utf-8")
        content = rendered(text, path=source.path, pages=urls, site=site)
        pages.append(Page(source, content, urls[source.path], text))
    return Library(tuple(pages))
