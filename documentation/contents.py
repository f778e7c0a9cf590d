"""Which files the documentation is made of, and their order. Pure: it knows paths within the repository and no page.

A file in docs/ that is not named here is a page all the same, at the end; so nothing that was written is out of reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext_noop

FOLDER = "docs"
OTHERS = gettext_noop("Further pages")

# Group, as the templates translate it → pages in their order; a page is the name of a file in docs/ without ".md".
GROUPS: dict[str, tuple[str, ...]] = {
    gettext_noop("Start"): ("quick-start", "concepts"),
    gettext_noop("Use"): (
        "hosting",
        "clients",
        "playground",
        "credentials",
        "accounts",
        "remote-accounts",
        "questions",
        "publishing",
        "api",
    ),
    gettext_noop("Write"): ("tasks",),
    gettext_noop("Operate"): ("operating", "settings"),
    gettext_noop("Background"): ("security-model", "architecture", "benchmarks", "real-packages", "changes"),
}
# What a search's hit on a page counts, where that is less than 1: who asks wants to do something, and only then to know
# why it is so, what was measured, or when it changed.
WEIGHTS = {"security-model": 0.8, "architecture": 0.4, "real-packages": 0.4, "benchmarks": 0.25, "changes": 0.15}
# Pages whose text stands elsewhere, since people look for it there.
ELSEWHERE = {"benchmarks": "benchmarks/README.md", "changes": "CHANGELOG.md"}


@dataclass(frozen=True)
class Source:
    """`path` is within the repository, with slashes."""

    slug: str
    group: str
    path: str

    @property
    def weight(self) -> float:
        return WEIGHTS.get(self.slug, 1.0)


def sources(root: Path) -> Iterator[Source]:
    """What there is below `root`, the repository's folder, in reading order."""
    files = {file.stem: f"{FOLDER}/{file.name}" for file in (root / FOLDER).glob("*.md")}
    files.update({slug: path for slug, path in ELSEWHERE.items() if (root / path).is_file()})
    for group, slugs in GROUPS.items():
        for slug in slugs:
            if path := files.pop(slug, ""):
                yield Source(slug, group, path)
    for slug in sorted(files):
        yield Source(slug, OTHERS, files[slug])
