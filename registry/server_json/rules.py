"""The rules of a server.json that no schema states; each has a name that clients know. Pure.

They take a document that binds. One that doesn't, as imports may bring, has its misshapen parts left out first
(`validation.lenient`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext

from registry.server_json import urls
from registry.server_json.issues import Issue, error
from registry.server_json.names import is_name, looks_like_range

LOCAL = ("stdio", "streamable-http", "sse")
REMOTE = ("streamable-http", "sse")
Object = Mapping[str, Any]


def check(document: Object) -> list[Issue]:
    """In the order of the members that people read: name, version, addresses, packages, remotes."""
    return [*_head(document), *_packages(document), *_remotes(document)]


def _head(document: Object) -> Iterator[Issue]:
    if not is_name(document.get("name", "")):
        words = gettext(
            "A name is namespace/name with one slash; each side has two characters or more "
            "and begins and ends with a letter or digit"
        )
        yield error("name", "invalid-server-name", words)
    yield from _version(document.get("version", ""), "version")
    title = document.get("title")
    if title is not None and not title.strip():
        yield error("title", "title-whitespace-only", gettext("The title has nothing but spaces"))
    if repository := document.get("repository"):
        yield from urls.check_repository(repository)
    if website := document.get("websiteUrl"):
        yield from urls.check_website(website)
    for number, icon in enumerate(document.get("icons") or ()):
        yield from urls.check_icon(icon.get("src", ""), f"icons[{number}].src")


def _version(version: str, path: str) -> Iterator[Issue]:
    if version == "latest":
        yield error(path, "reserved-version-string", gettext("“latest” is reserved: name the version itself"))
    elif looks_like_range(version):
        words = gettext("“%(version)s” looks like a range: name one version") % {"version": version[:100]}
        yield error(path, "version-looks-like-range", words)


# --- packages


def _packages(document: Object) -> Iterator[Issue]:
    for number, package in enumerate(document.get("packages") or ()):
        path = f"packages[{number}]"
        if " " in package.get("identifier", ""):
            words = gettext("A package's identifier has no spaces")
            yield error(f"{path}.identifier", "package-name-has-spaces", words)
        if version := package.get("version"):
            yield from _version(version, f"{path}.version")
        for kind in ("runtimeArguments", "packageArguments"):
            for place, argument in enumerate(package.get(kind) or ()):
                yield from _argument(argument, f"{path}.{kind}[{place}]")
        yield from _local_transport(package.get("transport") or {}, f"{path}.transport", _names_in(package))


def _argument(argument: Object, path: str) -> Iterator[Issue]:
    if argument.get("type") != "named":
        return
    name = argument.get("name") or ""
    if not name:
        yield error(f"{path}.name", "named-argument-name-required", gettext("A named argument needs its name"))
        return
    if any(character in name for character in "<>$ "):
        words = gettext("A name is the flag alone, without spaces, < > or $; its value goes to “value”")
        yield error(f"{path}.name", "invalid-named-argument-name", words)
    for member in ("value", "default"):
        if (argument.get(member) or "").startswith(name):
            words = gettext("The %(member)s begins with the name, which would be given twice") % {"member": member}
            yield error(f"{path}.{member}", f"argument-{member}-starts-with-name", words)


def _names_in(package: Object) -> frozenset[str]:
    """What a variable in a package's address may stand for."""
    found = {one.get("name") for one in package.get("environmentVariables") or ()}
    for kind in ("runtimeArguments", "packageArguments"):
        for argument in package.get(kind) or ():
            found |= {argument.get("name"), argument.get("valueHint")}
    return frozenset(name for name in found if name)


def _local_transport(transport: Object, path: str, known: frozenset[str]) -> Iterator[Issue]:
    kind, url = transport.get("type", ""), transport.get("url") or ""
    if kind not in LOCAL:
        words = gettext("A package speaks %(known)s; “%(kind)s” is none of them")
        words %= {"known": ", ".join(LOCAL), "kind": kind[:100]}
        yield error(f"{path}.type", "unsupported-transport-type", words)
    elif kind == "stdio":
        if url:
            yield error(f"{path}.url", "stdio-transport-url-not-empty", gettext("A server on stdio has no address"))
    elif not url:
        words = gettext("Say where %(kind)s listens") % {"kind": kind}
        yield error(f"{path}.url", "streamable-transport-url-required", words)
    else:
        yield from _template(url, f"{path}.url", known)


# --- remotes


def _remotes(document: Object) -> Iterator[Issue]:
    for number, remote in enumerate(document.get("remotes") or ()):
        path = f"remotes[{number}]"
        kind, url = remote.get("type", ""), remote.get("url") or ""
        if kind not in REMOTE:
            words = gettext("A remote speaks %(one)s or %(other)s; “%(kind)s” is neither")
            words %= {"one": REMOTE[0], "other": REMOTE[1], "kind": kind[:100]}
            yield error(f"{path}.type", "unsupported-remote-transport-type", words)
        elif not url:
            yield error(f"{path}.url", "remote-transport-url-required", gettext("A remote needs its address"))
        else:
            yield from urls.check_remote(url, f"{path}.url")
            yield from _template(url, f"{path}.url", remote.get("variables") or {})


def _template(url: str, path: str, known: Iterable[str]) -> Iterator[Issue]:
    unknown = [name for name in urls.variables_of(url) if name not in known]
    if unknown:
        words = gettext("Nothing says what %(variable)s stands for") % {"variable": f"{{{unknown[0][:100]}}}"}
        yield error(path, "invalid-templated-url", words)
