"""The pictures of a README as a page shows them: with their size, so that nothing moves when they come. Pure.

One that can't be shown is its words; one that is still being fetched is marked, so that the page asks for it again
(static/js/controllers/pictures.js).
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registry.images.showing import Known

_IMAGE = re.compile(r'<img[^>]* src="[^"]*/-/images/([0-9a-f]{32})"[^>]*>')  # as registry.readme.rendering writes it
_SAID = re.compile(r' ([a-z]+)="([^"]*)"')
_SIZE = re.compile(r' (?:width|height)="\d*"')


def with_pictures(text: str, images: Mapping[str, str], known: Mapping[str, Known]) -> str:
    """`images` are a README's addresses by key, `known` what this site has of them, by address."""
    return _IMAGE.sub(lambda match: _image(match, known.get(images.get(match[1], ""))), text)


def _image(match: re.Match[str], known: Known | None) -> str:
    said = dict(_SAID.findall(match[0]))
    if known is None:
        return match[0].replace("<img", "<img data-pending", 1)
    if not known.digest:
        return html.escape(html.unescape(said.get("alt", "")), quote=False)
    if not known.width or not known.height:
        return match[0]
    width, height = _sides(said, known)
    return _SIZE.sub("", match[0]).replace("<img", f'<img width="{width}" height="{height}"', 1)


def _sides(said: Mapping[str, str], known: Known) -> tuple[int, int]:
    """As its author wants it, where they say so; a side that they don't name follows from the other."""
    width, height = int(said.get("width") or 0), int(said.get("height") or 0)
    if width:
        return width, height or max(1, round(width * known.height / known.width))
    if height:
        return max(1, round(height * known.width / known.height)), height
    return known.width, known.height
