"""A file of Markdown as a page: title, lead, contents, HTML and what a search looks through.

The files are the project's own, and yet no HTML in them is passed on: the parser escapes it, so that every element of
a page is made here. A reader's own address stands where the files say EXAMPLE_SITE.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import gettext
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

EXAMPLE_SITE = "http://127.0.0.1:8000"
_CONTENTS_LEVELS = (2, 3)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_BLURB_CHARACTERS = 160
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Heading:
    level: int
    anchor: str
    title: str


@dataclass(frozen=True)
class Section:
    """What stands below one heading, as text without marks. `anchor` is "" above the first heading."""

    anchor: str
    title: str
    text: str


@dataclass(frozen=True)
class Rendered:
    title: str
    lead: str  # the first paragraph that stands by itself, as text
    html: str  # without the title
    contents: tuple[Heading, ...]
    sections: tuple[Section, ...]
    anchors: frozenset[str]

    @property
    def blurb(self) -> str:
        """As many of the lead's sentences as a list of pages has room for, one at least; never a part of a word."""
        told = ""
        for sentence in _SENTENCE_END.split(self.lead):
            if told and len(told) + len(sentence) > _BLURB_CHARACTERS:
                break
            told = f"{told} {sentence}".lstrip()
        return told


@dataclass
class _Place:
    """What the renderer carries along through one file."""

    path: str
    pages: Mapping[str, str]  # file → its page's address
    site: str
    section: str = ""
    blocks: int = 0

    def label(self) -> str:
        """A name for a block that can be scrolled; unlike every other one on its page."""
        self.blocks += 1
        return f"{self.section} ({self.blocks})"


def rendered(text: str, *, path: str, pages: Mapping[str, str], site: str) -> Rendered:
    """`path` is the file's within the repository, which its links are relative to; `pages` has the address of each
    file that is a page; `site` is this site's origin."""
    tokens = _parser.parse(text.replace(EXAMPLE_SITE, site))
    title, tokens = _title_taken(tokens)
    headings = _anchored(tokens)
    place = _Place(path, pages, site, title)
    return Rendered(
        title=title,
        lead=_lead(tokens),
        html=_parser.renderer.render(tokens, _parser.options, {"place": place}),
        contents=tuple(heading for heading in headings if heading.level in _CONTENTS_LEVELS),
        sections=tuple(_sections(title, tokens)),
        anchors=frozenset(heading.anchor for heading in headings),
    )


def anchor_of(title: str, taken: Mapping[str, int]) -> str:
    """As GitHub makes it, so that links between the files hold there and here; `taken` counts those before."""
    anchor = _NOT_IN_ANCHORS.sub("", title.lower()).replace(" ", "-")
    return f"{anchor}-{taken[anchor]}" if taken.get(anchor) else anchor


def plain(token: Token) -> str:
    """The text of an inline token without its marks."""
    words = (" " if child.type == "softbreak" else child.content for child in token.children or ())
    return "".join(words)


def _pairs(tokens: Sequence[Token]) -> zip[tuple[Token, Token]]:
    return zip(tokens, tokens[1:], strict=False)


def _lead(tokens: Sequence[Token]) -> str:
    own = (text for one, text in _pairs(tokens) if one.type == "paragraph_open" and not one.level)  # of no list
    return plain(first) if (first := next(own, None)) else ""


def _title_taken(tokens: list[Token]) -> tuple[str, list[Token]]:
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        return plain(tokens[1]), tokens[3:]
    return "", tokens


def _anchored(tokens: Sequence[Token]) -> list[Heading]:
    """Gives each heading its id. Returns all of them."""
    found: list[Heading] = []
    taken: dict[str, int] = {}
    for token, following in _pairs(tokens):
        if token.type == "heading_open":
            title = plain(following)
            anchor = anchor_of(title, taken)
            base = anchor_of(title, {})
            taken[base] = taken.get(base, 0) + 1
            token.attrSet("id", anchor)
            token.meta["title"] = title
            found.append(Heading(int(token.tag[1:]), anchor, title))
    return found


def _sections(title: str, tokens: Sequence[Token]) -> list[Section]:
    found: list[tuple[str, str, list[str]]] = [("", title, [])]
    in_heading = False
    for token in tokens:
        if token.type == "heading_open":
            found.append((str(token.attrGet("id")), token.meta["title"], []))
            in_heading = True
        elif token.type == "heading_close":
            in_heading = False
        elif token.type == "inline" and not in_heading:
            found[-1][2].append(plain(token))
        elif token.type in ("fence", "code_block"):
            found[-1][2].append(token.content)
    return [Section(anchor, heading, "\n".join(words)) for anchor, heading, words in found]


def _heading_open(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    token = tokens[index]
    env["place"].section = token.meta["title"]
    return f'<{token.tag} id="{token.attrGet("id")}"><a class="prose-anchor" href="#{token.attrGet("id")}">'


def _heading_close(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    return f"</a></{tokens[index].tag}>\n"


def _code(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    """A block of code with its button. Commands and what they answer are told apart: only commands are copied."""
    token, place = tokens[index], env["place"]
    language, _, rest = token.info.strip().partition(" ")
    if language != "console":
        filename = rest if "." in rest else ""
        context = {"text": token.content.rstrip("\n"), "filename": filename, "label": place.label()}
        return render_to_string("documentation/_code.html", context)
    steps = [
        {"command": step.command, "output": step.output, "label": place.label()}
        for step in console_steps(token.content)
    ]
    return render_to_string("documentation/_console.html", {"steps": steps})


@dataclass(frozen=True)
class Step:
    """One command of a console block, with the lines that it is said to print; "…" stands for anything."""

    command: str
    output: str


def console_steps(block: str) -> list[Step]:
    """`$ ` begins a command, indented lines below go on with it, all others are what it prints. Raises ValueError."""
    steps: list[tuple[list[str], list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append(([line[2:]], []))
        elif not steps:
            raise ValueError(f"a console block begins with a command, not with {line!r}")
        elif line.startswith("    ") and not steps[-1][1]:
            steps[-1][0].append(line)
        else:
            steps[-1][1].append(line)
    return [Step("\n".join(command), "\n".join(output)) for command, output in steps]


def _table_open(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    label = gettext("Table: {section}").format(section=env["place"].label())
    return f'<div class="table-scroll" role="region" tabindex="0" aria-label="{escape(label)}"><table class="table">\n'


def _table_close(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    return "</table></div>\n"


def _link_open(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    """A link to a file that is no page (in the repository, but not on the site) stays what it says, without a link."""
    token = tokens[index]
    href = address(str(token.attrGet("href") or ""), env["place"].path, env["place"].pages)
    token.attrSet("href", href)
    if href.startswith("http") and not href.startswith(env["place"].site):
        token.attrSet("rel", "noopener")
    if not href:
        token.attrs.pop("href")
    return renderer.renderToken(tokens, index, options, env)


def address(href: str, path: str, pages: Mapping[str, str]) -> str:
    """Where a link of the file `path` leads on the site; "" where nowhere."""
    parts = urlsplit(href)
    if parts.scheme or href.startswith(("/", "#")):
        return href
    page = pages.get(posixpath.normpath(posixpath.join(posixpath.dirname(path), parts.path)), "")
    return f"{page}#{parts.fragment}" if page and parts.fragment else page


def _made() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    rules: dict[str, Callable[..., str]] = {
        "heading_open": _heading_open,
        "heading_close": _heading_close,
        "fence": _code,
        "code_block": _code,
        "table_open": _table_open,
        "table_close": _table_close,
        "link_open": _link_open,
    }
    for name, rule in rules.items():
        parser.add_render_rule(name, rule)
    return parser


_parser = _made()
