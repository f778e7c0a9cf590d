"""What stands beside a server's name: its icon once this site has it, the first letter of its name until then."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from registry.images.addresses import icon_address
from registry.images.keeping import ICON_SIDE
from registry.images.showing import Known, images_known
from registry.search.finding import Row
from registry.server_json.reading import Document

_SAYS_LITTLE = re.compile(r"(?:(?:mcp|server|the)(?:[\W_]+|$))+", re.IGNORECASE)
_LETTER = re.compile(r"[^\W_]")


@dataclass(frozen=True)
class Mark:
    """`url` is "" where there is only a letter to show."""

    letter: str
    url: str


def marked(rows: Iterable[Row]) -> list[tuple[Row, Mark]]:
    """One query for all of a list, where any of them has an icon."""
    found = list(rows)
    known = images_known([row.icon for row in found], ICON_SIDE)
    return [(row, _mark(row.name, row.title, known.get(row.icon))) for row in found]


def mark_of(name: str, document: Document) -> Mark:
    address = icon_address(document)
    return _mark(name, document.title, images_known([address], ICON_SIDE).get(address))


def letter_of(title: str, name: str) -> str:
    """Of the word that tells it from others: T of mcp-server-time."""
    for text in (title, name.partition("/")[2], name):
        rest = _SAYS_LITTLE.sub("", text, count=1) if _SAYS_LITTLE.match(text) else text
        if letter := _LETTER.search(rest) or _LETTER.search(text):
            return letter[0].upper()
    return "?"


def _mark(name: str, title: str, icon: Known | None) -> Mark:
    url = f"{reverse('registry:icon', args=[name])}?{icon.digest[:8]}" if icon and icon.digest else ""
    return Mark(letter_of(title, name), url)
