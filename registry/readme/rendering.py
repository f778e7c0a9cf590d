"""A stranger's README as HTML that can stand in a page of this site. Pure.

Markdown and the HTML within it become HTML; then only elements and attributes named here stay. Pictures come from this
site or not at all (elsewhere they would tell their hosts who reads); there are no classes, styles, ids, forms; links
go to the web and say that we don't vouch for them. Characters that can't be seen or that turn the order of text around
are taken out before.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import nh3
from markdown_it import MarkdownIt

MAX_CHARACTERS = 60_000  # what is made to be slow takes a parser time by the square of its length
_TAGS = frozenset(
    ("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1", "h2", "h3")
    + ("h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "samp", "small", "span")
    + ("strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var")
)
_DROPPED_WHOLE = frozenset(
    (
        "script",
        "style",
        "template",
        "title",
        "iframe",
        "object",
        "embed",
        "noscript",
        "svg",
        "math",
        "textarea",
        "select",
    )
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_IMAGE = re.compile(r'<img((?: [a-z]+="[^"]*")*)>')
_SAID = re.compile(r' ([a-z]+)="([^"]*)"')
_HEADING = re.compile(r"<(/?)h([1-6])>")
_KEPT_FORMATS = frozenset("\u200d")  # joins the parts of an emoji
_LOWER_BY = 2  # below the page's own headings

Picture = Callable[[str], str]


def nowhere(src: str) -> str:
    return ""


_markdown = MarkdownIt("commonmark", {"html": True, "maxNesting": 20}).enable(["table", "strikethrough"])


def as_html(text: str, *, is_markdown: bool = True, base: str = "", picture: Picture = nowhere) -> str:
    """`base` is the address that relative links are about; without one they become plain text. `picture` says where
    this site has the picture of a `src`; without one its alternative text stands there."""
    cleared = _seen(text[:MAX_CHARACTERS])
    if not is_markdown:
        return f"<pre>{html.escape(cleared)}</pre>"
    made = nh3.clean(
        _markdown.render(cleared),
        tags=set(_TAGS),
        clean_content_tags=set(_DROPPED_WHOLE),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=lambda tag, name, value: _attribute(tag, name, value, base, picture),
        set_tag_attribute_values={"img": {"loading": "lazy", "decoding": "async"}},
        link_rel="nofollow noopener ugc",
        url_schemes={"https", "http", "mailto"},
        strip_comments=True,
    )
    lowered = _HEADING.sub(lambda match: f"<{match[1]}h{min(6, int(match[2]) + _LOWER_BY)}>", made)
    return _IMAGE.sub(_image, lowered)


def _image(match: re.Match[str]) -> str:
    """A picture that is shown says what it shows, if only that it says nothing; of others there are words alone."""
    said = dict(_SAID.findall(match[1]))
    if "src" not in said:
        return html.escape(html.unescape(said.get("alt", "")), quote=False)
    return match[0] if "alt" in said else f'<img alt=""{match[1]}>'


def _attribute(tag: str, name: str, value: str, base: str, picture: Picture) -> str | None:
    if (tag, name) == ("a", "href"):
        return _link(value, base)
    if (tag, name) == ("img", "src"):
        return picture(value) or None
    if name in ("colspan", "rowspan", "start", "width", "height"):
        return value if value.isascii() and value.isdigit() and len(value) <= (3 if tag != "img" else 4) else None
    return value[:300]


def _link(value: str, base: str) -> str | None:
    value = value.strip()
    if value.startswith("#"):
        return None  # headings have no ids here
    try:
        parts = urlsplit(value)
        there = value if parts.scheme else urljoin(base, value) if base else ""
        found = urlsplit(there)
    except ValueError:
        return None
    if found.scheme == "mailto":
        return there
    return there if found.scheme in ("https", "http") and found.hostname and not found.username else None


def _seen(text: str) -> str:
    return "".join(
        letter
        for letter in text
        if letter in "\n\t" or letter in _KEPT_FORMATS or unicodedata.category(letter) not in ("Cc", "Cf", "Co", "Cs")
    )
