"""Text as words: how names, descriptions and questions are cut up, and what counts as the same word. Pure.

Both sides go through here, so PostgreSQL's own parsers and dictionaries play no part: names such as
`io.github.acme/fileSystem-mcp` are no prose, and what is typed so far is no whole word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

MAX_WORD = 40
_RUN = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
# Written without spaces: Chinese, Japanese, Korean. Such text is cut into pairs of characters.
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_SHARED_HOSTS = frozenset({"github", "gitlab", "githubusercontent"})

# Words that say nothing here: every second entry has them.
COMMON = frozenset(
    ("a", "an", "and", "are", "as", "at", "be", "by", "can", "for", "from", "in", "into", "is", "it", "its", "of", "on")
    + ("or", "that", "the", "this", "to", "using", "via", "with", "your", "you")
    + ("mcp", "server", "servers", "protocol", "model", "context", "modelcontextprotocol")
)
_KEPT = frozenset(
    ("news", "aws", "ios", "dns", "gps", "sms", "css", "js", "https", "kubernetes", "redis", "canvas", "atlas")
    + ("jenkins", "windows", "maps")
)
_SAME = {
    "k8s": ("kubernetes",),
    "kubernetes": ("k8s",),
    "postgres": ("postgresql",),
    "postgresql": ("postgres",),
    "db": ("database",),
    "repo": ("repository",),
    "docs": ("documentation",),
    "documentation": ("docs",),
    "js": ("javascript",),
    "ts": ("typescript",),
    "auth": ("authentication",),
    "img": ("image",),
    "photo": ("image",),
    "picture": ("image",),
    "mail": ("email",),
    "gmail": ("email",),
    "crypto": ("cryptocurrency",),
    "stocks": ("stock",),
    "todo": ("task",),
    "todos": ("task",),
    "scraping": ("crawling",),
    "scraper": ("scraping",),
    "llm": ("ai",),
    "ticket": ("issue",),
    "tickets": ("issue",),
    "calendar": ("scheduling",),
    "payments": ("payment",),
    "translate": ("translation", "localization"),
    "translation": ("localization", "translate"),
    "forecast": ("weather",),
    "transcript": ("transcription", "subtitle"),
    "conversion": ("converter", "convert"),
    "spreadsheet": ("sheet", "excel"),
    "travel": ("trip",),
    "cve": ("vulnerability",),
    "rss": ("feed",),
    "ticketing": ("issue",),
    "speech": ("voice", "tts"),
    "tts": ("speech",),
}


def words(text: str) -> Iterator[str]:
    """In their order, folded; a word of several humps also by its humps: `fileSystem` → filesystem, file, system."""
    for run in _RUN.findall(unicodedata.normalize("NFKC", text)):
        if _DENSE.search(run):
            yield from _dense(run)
            continue
        whole = _folded(run)
        if whole:
            yield whole[:MAX_WORD]
        humps = _HUMP.findall(run)
        if len(humps) > 1 and not run.isupper():
            yield from (hump.lower()[:MAX_WORD] for hump in humps if len(hump) > 2)


def plain(text: str) -> list[str]:
    """The same without humps: what a person types is looked for as it is."""
    found: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text)):
        if _DENSE.search(run):
            found += _dense(run)
        elif whole := _folded(run):
            found.append(whole[:MAX_WORD])
    return found


def joined(of: Iterable[str]) -> list[str]:
    """Neighbours written together: file, system → filesystem."""
    row = list(of)
    pairs = [first + second for first, second in zip(row, row[1:], strict=False)]
    return [pair for pair in pairs if len(pair) <= MAX_WORD and pair.isascii()]


def stem(word: str) -> str:
    """Without the endings of number and tense, roughly, as English has them."""
    if not word.isascii() or not word.isalpha() or word in _KEPT or len(word) < 4:
        return word
    word = _without_plural(word)
    if len(word) > 6 and word.endswith("ing"):
        word = _undoubled(word[:-3])
    elif len(word) > 5 and word.endswith("ed"):
        word = _undoubled(word[:-2])
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def same_as(word: str) -> tuple[str, ...]:
    """Other words for it."""
    return _SAME.get(word, ())


def vendor_of(namespace: str) -> str:
    """Whose it is by its namespace: io.github.acme → acme, com.example.api → example."""
    labels = [label for label in namespace.lower().split(".") if label]
    if len(labels) > 2 and labels[1] in _SHARED_HOSTS:
        return labels[2]
    return labels[1] if len(labels) > 1 else (labels[0] if labels else "")


def namespace_words(namespace: str) -> list[str]:
    """All that a namespace says beyond where it is."""
    labels = namespace.split(".")
    first = 2 if len(labels) > 2 and labels[1].lower() in _SHARED_HOSTS else 1
    return [word for label in labels[first:] for word in words(label)]


def compact(text: str) -> str:
    """To compare names as a whole: without the words that say nothing, and without gaps."""
    found = plain(text)
    return "".join([word for word in found if word not in COMMON] or found)[:200]


def _folded(run: str) -> str:
    bare = unicodedata.normalize("NFKD", run.casefold())
    return "".join(letter for letter in bare if letter.isalnum())


def _dense(run: str) -> list[str]:
    found: list[str] = []
    for piece in re.split(f"({_DENSE.pattern})", run):
        if _DENSE.fullmatch(piece):
            found += [piece[i : i + 2] for i in range(len(piece) - 1)] or [piece]
        elif piece:
            found.append(_folded(piece)[:MAX_WORD])
    return [one for one in found if one]


def _without_plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _undoubled(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz" else word
