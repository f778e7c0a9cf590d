"""What somebody wants to know of a server before anything else: where it runs from, what it asks for, how it is begun.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from registry.install.settings import Setting
from registry.install.shell import own_command
from registry.install.ways import Way, ways

# Pages for people about a package, by its identifier.
_PAGES = {
    "npm": "https://www.npmjs.com/package/{}",
    "pypi": "https://pypi.org/project/{}/",
    "nuget": "https://www.nuget.org/packages/{}",
    "cargo": "https://crates.io/crates/{}",
}


@dataclass(frozen=True)
class Source:
    """A package or a remote; `page` is "" where no public index has one about it."""

    way: Way
    page: str


@dataclass(frozen=True)
class Glance:
    """`command` begins it: a shell's command, or an address where `is_remote`; "" where there is none to show without
    more words. `asked` are the settings of that way which have no value of their own."""

    sources: tuple[Source, ...]
    command: str
    is_remote: bool
    asked: tuple[Setting, ...]


def glance(document: Mapping[str, Any]) -> Glance:
    found = ways(document)
    packages = document.get("packages")
    objects = [one for one in packages if isinstance(one, Mapping)] if isinstance(packages, list) else []
    names = [_identifier(one) for one in objects]  # packages come first among the ways
    sources = tuple(
        Source(way, _page(way, names[at] if at < len(names) and not way.is_remote else ""))
        for at, way in enumerate(found)
    )
    first = next((way for way in found if _is_plain(way)), None)
    if first is None:
        return Glance(sources, "", False, ())
    command = first.url.filled(lambda one: f"{{{one.name}}}") if first.is_remote else own_command(first)
    return Glance(sources, command, first.is_remote, tuple(first.settings))


def _is_plain(way: Way) -> bool:
    """Whether it can be shown without the warnings of its own page."""
    return not way.refusal and not way.warnings and (way.is_remote or bool(way.command))


def _page(way: Way, identifier: str) -> str:
    if way.refusal or way.kind not in _PAGES or not identifier:
        return ""
    return _PAGES[way.kind].format(quote(identifier, safe="@/"))


def _identifier(package: Mapping[str, Any]) -> str:
    found = package.get("identifier")
    return found if isinstance(found, str) else ""
