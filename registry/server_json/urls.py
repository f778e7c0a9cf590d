"""The addresses in a document: repository, website, icons, remotes. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext

from registry.server_json.issues import Issue, error

_REPOSITORIES = {
    "github": re.compile(r"https?://(?:www\.)?github\.com/[\w.-]+/[\w.-]+/?", re.ASCII),
    "gitlab": re.compile(r"https?://(?:www\.)?gitlab\.com/[\w.-]+(?:/[\w.-]+)+/?", re.ASCII),
}
_SUBFOLDER = re.compile(r"[A-Za-z0-9\-_./]+")
_MARKUP = re.compile(r"[<>\"'`\\\s]")
_VARIABLE = re.compile(r"\{([^{}]*)\}")


def variables_of(url: str) -> list[str]:
    """The names in braces."""
    return [name for name in _VARIABLE.findall(url) if name]


def check_repository(repository: dict[str, Any]) -> Iterator[Issue]:
    url, source = repository.get("url") or "", repository.get("source") or ""
    if url or source:
        known = _REPOSITORIES.get(source)
        if known is None or not known.fullmatch(url):
            words = gettext(
                "The repository must be on GitHub or GitLab: source github or gitlab, url https://HOST/OWNER/NAME"
            )
            yield error("repository.url", "invalid-repository-url", words)
    folder = repository.get("subfolder") or ""
    if folder and not is_subfolder(folder):
        words = gettext("The subfolder must be a relative path without . or .. and without a slash at either end")
        yield error("repository.subfolder", "invalid-subfolder-path", words)


def is_subfolder(path: str) -> bool:
    return bool(_SUBFOLDER.fullmatch(path)) and not {"", ".", ".."} & set(path.split("/"))


def check_website(url: str) -> Iterator[Issue]:
    yield from _https(url, "websiteUrl", "invalid-website-url", "website-url")
    if _MARKUP.search(url):
        words = gettext("The address has characters that break markup")
        yield error("websiteUrl", "website-url-invalid-characters", words)


def check_icon(src: str, path: str) -> Iterator[Issue]:
    yield from _https(src, path, "icon-src-invalid-url", "icon-src")


def _https(url: str, path: str, invalid: str, prefix: str) -> Iterator[Issue]:
    parts = _parts(url)
    if parts is None:
        yield error(path, invalid, gettext("This is no address"))
        return
    if not parts.scheme:
        reference = "website-url-must-be-absolute" if prefix == "website-url" else "icon-src-not-absolute"
        yield error(path, reference, gettext("The address must be absolute: https://…"))
    elif parts.scheme != "https":
        yield error(path, f"{prefix}-invalid-scheme", gettext("The address must begin with https://"))
    elif not parts.hostname:
        yield error(path, invalid, gettext("The address names no host"))


def check_remote(url: str, path: str) -> Iterator[Issue]:
    """https, and not this machine. Variables stand for whatever is said for them later."""
    filled = _VARIABLE.sub("x", url)
    parts = _parts(filled)
    host = (parts.hostname or "").lower().rstrip(".") if parts else ""
    if parts is None or not host or "{" in filled or "}" in filled or re.search(r"\s", filled):
        yield error(path, "invalid-remote-url", gettext("This is no address that a client could connect to"))
    elif parts.scheme != "https":
        yield error(path, "invalid-remote-url", gettext("A remote's address must begin with https://"))
    elif host == "localhost" or host.endswith(".localhost") or _is_loopback(host):
        yield error(path, "invalid-remote-url", gettext("A remote can't be on the client's own machine"))


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # it is read to be checked
    except ValueError:
        return None
    return parts
