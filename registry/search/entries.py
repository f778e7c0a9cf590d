"""A server's row in the index, from its documents and what else is known of it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from registry.images.addresses import icon_address
from registry.moderation.confusables import skeleton
from registry.search import facets, words
from registry.server_json.reading import Document, Package, Transport, read
from registry.server_json.shapes import PUBLISHER_PROVIDED

README_WORDS = 1500
MAX_LEXEMES = 3000
_POSITIONS = 16_000  # PostgreSQL's most is 16,383
_PACKAGES = frozenset({"npm", "pypi", "oci", "mcpb", "nuget", "cargo"})
_REMOTE = ("streamable-http", "sse")
_LISTS = ("keywords", "tags", "categories", "topics")


@dataclass(frozen=True)
class Known:
    """What was learned by running it here: names of tools, revisions, tasks and elicitation, whether it is hosted."""

    tools: tuple[str, ...] = ()
    revisions: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    sign_in: str = ""
    is_hosted: bool = False


@dataclass(frozen=True)
class Source:
    """All that a row is made of. `document` is the latest version's, as JSON values."""

    server_id: int
    name: str
    document: Mapping[str, Any]
    version: str
    status: str
    published_at: datetime
    updated_at: datetime
    versions: int
    is_local: bool
    verified_by: str
    readme: str = ""
    known: Known = field(default_factory=Known)


@dataclass(frozen=True)
class Listed:
    """What a list shows of a server: of its latest version, but `updated_at` of any."""

    server_id: int
    name: str
    title: str
    description: str
    icon: str  # its address elsewhere; "" for none
    version: str
    status: str
    published_at: datetime
    updated_at: datetime
    versions: int
    facets: int


@dataclass(frozen=True)
class Entry(Listed):
    """Columns of registry_searchentry. `vector` is a tsvector as text, `vocabulary` the words that it is made of."""

    compact: str
    compact_title: str
    vendor: str
    skeleton: str
    standing: float
    references: list[str]
    vector: str
    vocabulary: frozenset[str]


def entry_of(source: Source) -> Entry:
    document = read(source.document)
    namespace, _, part = source.name.partition("/")
    vector, vocabulary = _vector(source, document, namespace, part)
    return Entry(
        server_id=source.server_id,
        name=source.name,
        title=_line(document.title)[:100],
        description=_line(document.description)[:300],
        icon=icon_address(document),
        version=source.version,
        status=source.status,
        published_at=source.published_at,
        updated_at=source.updated_at,
        versions=source.versions,
        facets=facets.bits(_values(source, document)),
        compact=words.compact(part),
        compact_title=words.compact(document.title),
        vendor=words.vendor_of(namespace),
        skeleton=skeleton(source.name),
        standing=_standing(source, document),
        references=references_of(document),
        vector=vector,
        vocabulary=vocabulary,
    )


def references_of(document: Document) -> list[str]:
    """`npm:@scope/name`, `remote:https://…`: what hosting calls the same thing, without versions."""
    found = [f"{one.registry_type}:{_identifier(one)}" for one in document.packages if one.identifier]
    return list(dict.fromkeys([*found, *(f"remote:{one.url}" for one in document.remotes if one.url)]))[:50]


def _identifier(package: Package) -> str:
    name = package.identifier[:400]
    return name.lower().replace("_", "-").replace(".", "-") if package.registry_type == "pypi" else name


def _values(source: Source, document: Document) -> Iterable[tuple[str, str]]:
    for package in document.packages:
        yield "package", package.registry_type if package.registry_type in _PACKAGES else "other"
        yield "transport", package.transport.type or "stdio"
    for remote in document.remotes:
        yield "transport", remote.type
    if document.packages:
        yield "runs", "local"
    if document.remotes:
        yield "runs", "remote"
    yield "secrets", "needed" if document.needs_secrets else "none"
    yield from (("sign_in", kind) for kind in _sign_in(source.known, document))
    yield from (("revision", revision) for revision in source.known.revisions)
    yield from (("uses", use) for use in source.known.uses)
    if source.known.is_hosted:
        yield "hosted", "here"
    yield "verified", "here" if source.is_local else "upstream" if source.verified_by else "no"
    yield "status", source.status


def _sign_in(known: Known, document: Document) -> set[str]:
    found = {known.sign_in} if known.sign_in else set()
    if any(one.is_secret for package in document.packages for one in package.inputs):
        found.add("variable")
    ways: list[Transport] = [*document.remotes, *(package.transport for package in document.packages)]
    if any(one.is_secret or _is_credential(one.name) for way in ways for one in way.inputs if one.where == "header"):
        found.add("header")
    return found or {"none"}


def _is_credential(header: str) -> bool:
    return header.lower() in ("authorization", "x-api-key", "api-key")


def _standing(source: Source, document: Document) -> float:
    """From 0 to 1: how much care went into an entry, where words alone don't decide."""
    found = 0.15 + 0.1 * min(4.0, math.log2(source.versions + 1))
    found += 0.1 * bool(document.title) + 0.1 * bool(document.repository_url) + 0.05 * bool(document.website_url)
    found += 0.1 * (len(document.description) > 40) + 0.1 * source.is_local + 0.1 * source.known.is_hosted
    return min(1.0, found) * (0.4 if source.status != "active" else 1.0)


# --- the vector


def _vector(source: Source, document: Document, namespace: str, part: str) -> tuple[str, frozenset[str]]:
    name, title = list(words.words(part)), list(words.words(document.title))
    pairs = [*words.joined(words.plain(part)), *words.joined(words.plain(document.title))]
    body = [*words.words(document.description)]
    for package in document.packages[:20]:
        body += words.words(package.identifier if package.registry_type != "mcpb" else "")
    for tool in source.known.tools[:500]:
        body += words.words(tool)
    around = [*words.namespace_words(namespace), *_provided(source.document)]
    readme = list(words.words(source.readme[: README_WORDS * 12]))[:README_WORDS]
    lexemes: dict[str, list[str]] = {}
    place = 0
    for weight, row in (("A", [*name, *title, *pairs]), ("B", body), ("C", around), ("D", readme)):
        for word in row:
            place = min(place + 1, _POSITIONS)
            found = lexemes.setdefault(words.stem(word), [])
            if len(found) < 50 and len(lexemes) <= MAX_LEXEMES:
                found.append(f"{place}{weight}")
    text = " ".join(f"'{lexeme}':{','.join(places)}" for lexeme, places in lexemes.items() if places)
    return text, frozenset({*name, *title, *body, *around, *readme})


def _provided(document: Mapping[str, Any]) -> Iterable[str]:
    """Keywords, wherever a publisher put some."""
    meta = document.get("_meta")
    provided = meta.get(PUBLISHER_PROVIDED) if isinstance(meta, Mapping) else None
    holders = [provided, provided.get("github")] if isinstance(provided, Mapping) else []
    for holder in [one for one in holders if isinstance(one, Mapping)]:
        for member in _LISTS:
            found = holder.get(member)
            for one in found[:50] if isinstance(found, list) else ():
                yield from words.words(one) if isinstance(one, str) else ()


def _line(text: str) -> str:
    return " ".join(text.split())
