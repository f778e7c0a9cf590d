"""The line by which a package's README says whose it is: `mcp-name: org.example/server`. Pure."""

from __future__ import annotations

import re
from html.parser import HTMLParser

# Elements that stand on lines of their own; text before and after any other one runs on.
_BLOCKS = frozenset(
    """
    address article aside blockquote br dd details div dl dt figure footer h1 h2 h3 h4 h5 h6 header hr li main nav ol p
    pre section summary table tbody td tfoot th thead tr ul
    """.split()  # noqa: SIM905  a list of forty quoted words would be read by nobody
)
_HIDDEN = frozenset({"script", "style", "template", "title"})


def is_named(text: str, server: str) -> bool:
    """Whether the line is in a README. It must end where the name ends: `…/server-evil` is no word for `…/server`."""
    pattern = rf"(?<!\w)(?<!\w-)mcp-name:[ \t]*{re.escape(server)}(?![._/-]*[A-Za-z0-9])"
    return re.search(pattern, text) is not None


def visible_text(html: str) -> str:
    """What a reader of a page sees, without comments; blocks on lines of their own."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    return "".join(parser.pieces)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN and self._hidden:
            self._hidden -= 1
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)
