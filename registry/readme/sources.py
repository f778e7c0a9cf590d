"""Where a server's README may lie: its packages' indexes first, since those have the text of that release. Pure.

Addresses are made of the operator's settings and of names that those services could have given out; nothing that a
document calls a URL is ever fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

from registry.server_json.reading import Document, Package

MAX_SOURCES = 6
_NPM = re.compile(r"(?:@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*", re.ASCII | re.IGNORECASE)
_PYPI = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.ASCII | re.IGNORECASE)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,100}", re.ASCII)
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})", re.ASCII)
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_FOLDER = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+){0,8}", re.ASCII)

Kind = Literal["npm", "pypi", "file"]


@dataclass(frozen=True)
class Source:
    """`url` is fetched; `page` is for people, `base` what relative links are about, `files` where relative pictures lie
    ("": nothing)."""

    kind: Kind
    url: str
    page: str
    base: str = ""
    files: str = ""


def sources(document: Document, indexes: Mapping[str, str], raw: str, github_hosts: list[str]) -> list[Source]:
    """In the order in which they are asked. `raw` is where files of GitHub's repositories lie, by owner and name."""
    repository = _repository(document, github_hosts)
    base = f"{repository}/blob/HEAD/" if repository else ""
    files = f"{raw}/{_path(repository)}/HEAD/" if repository else ""
    found = [one for package in document.packages for one in _of_package(package, indexes, base, files)]
    return [*found[: MAX_SOURCES - 2], *_of_repository(document, repository, raw)]


def _of_package(package: Package, indexes: Mapping[str, str], base: str, files: str) -> Iterator[Source]:
    index, name = indexes.get(package.registry_type, ""), package.identifier
    said = package.registry_base_url.rstrip("/")
    if not index or len(name) > 214 or (said and said != index):
        return
    if package.registry_type == "npm" and _NPM.fullmatch(name):
        page = f"https://www.npmjs.com/package/{name}" if index == "https://registry.npmjs.org" else ""
        yield Source("npm", f"{index}/{quote(name, safe='@')}", page, base, files)
    if package.registry_type == "pypi" and _PYPI.fullmatch(name):
        version = f"/{quote(package.version, safe='')}" if _VERSION.fullmatch(package.version) else ""
        yield Source("pypi", f"{index}/pypi/{name}{version}/json", f"{index}/project/{name}/", base, files)


def _repository(document: Document, hosts: list[str]) -> str:
    """`https://github.com/owner/name`, or "" for anything else."""
    try:
        parts = urlsplit(document.repository_url.strip())
    except ValueError:
        return ""
    pieces = parts.path.strip("/").removesuffix(".git").split("/")
    if parts.scheme != "https" or (parts.netloc or "").lower() not in hosts or len(pieces) < 2:
        return ""
    owner, name = pieces[:2]
    if not _OWNER.fullmatch(owner) or not _REPOSITORY.fullmatch(name) or name in (".", ".."):
        return ""
    return f"https://{parts.netloc.lower()}/{owner}/{name}"


def _of_repository(document: Document, repository: str, raw: str) -> Iterator[Source]:
    if not repository:
        return
    folder = document.repository_subfolder.strip("/")
    folders = [folder, ""] if _FOLDER.fullmatch(folder) and not {".", ".."} & set(folder.split("/")) else [""]
    for one in folders:
        within = f"{one}/" if one else ""
        base, files = f"{repository}/blob/HEAD/{within}", f"{raw}/{_path(repository)}/HEAD/{within}"
        yield Source("file", f"{files}README.md", f"{base}README.md", base, files)


def _path(repository: str) -> str:
    """`owner/name`."""
    return "/".join(repository.rsplit("/", 2)[1:])
