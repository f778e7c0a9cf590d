"""A document as values, whatever is wrong with it: for search, pages and checks. Pure.

Members are read by their present names and by those of 2025-07-09 (`registry_type`); what has another type than it
should have is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True)
class Input:
    """A variable, header or argument. `where` is environment, header, runtime, package or variable."""

    where: str
    name: str
    description: str
    is_required: bool
    is_secret: bool
    default: str
    value: str


@dataclass(frozen=True)
class Transport:
    type: str
    url: str
    inputs: tuple[Input, ...]


@dataclass(frozen=True)
class Package:
    registry_type: str
    registry_base_url: str
    identifier: str
    version: str
    file_sha256: str
    runtime_hint: str
    transport: Transport
    inputs: tuple[Input, ...]


class Icon(NamedTuple):
    src: str
    theme: str


@dataclass(frozen=True)
class Document:
    schema: str
    name: str
    title: str
    description: str
    version: str
    website_url: str
    repository_url: str
    repository_source: str
    repository_subfolder: str
    icons: tuple[Icon, ...]
    packages: tuple[Package, ...]
    remotes: tuple[Transport, ...]

    @property
    def inputs(self) -> tuple[Input, ...]:
        ways: tuple[Package | Transport, ...] = (*self.packages, *self.remotes)
        of_transports = tuple(one for package in self.packages for one in package.transport.inputs)
        return tuple(one for way in ways for one in way.inputs) + of_transports

    @property
    def needs_secrets(self) -> bool:
        return any(one.is_secret for one in self.inputs)


# Texts, as they are called here and there.
_OF_DOCUMENT = {
    "schema": "$schema",
    **{name: name for name in ("name", "title", "description", "version")},
    "website_url": "websiteUrl",
}
_OF_REPOSITORY = {f"repository_{name}": name for name in ("url", "source", "subfolder")}
_OF_PACKAGE = {
    "registry_type": "registryType",
    "registry_base_url": "registryBaseUrl",
    "identifier": "identifier",
    "version": "version",
    "file_sha256": "fileSha256",
    "runtime_hint": "runtimeHint",
}


def read(document: Any) -> Document:
    return Document(
        **_texts(document, _OF_DOCUMENT),
        **_texts(_object(_member(document, "repository")), _OF_REPOSITORY),
        icons=tuple(Icon(_text(one, "src"), _text(one, "theme")) for one in _objects(document, "icons")),
        packages=tuple(_package(one) for one in _objects(document, "packages")),
        remotes=tuple(_transport(one) for one in _objects(document, "remotes")),
    )


def remote_urls(document: Any) -> list[str]:
    """Each once, in their order."""
    return list(dict.fromkeys(url for one in _objects(document, "remotes") if (url := _text(one, "url"))))


def remote_keys(document: Any) -> list[int]:
    """What stands for the remotes' addresses in an index: 63 bits of a digest each."""
    return [_key(url) for url in remote_urls(document)]


def _key(url: str) -> int:
    return int.from_bytes(blake2b(url.encode(errors="replace"), digest_size=8).digest(), "big") >> 1


def _package(one: Mapping[str, Any]) -> Package:
    transport = _transport(_object(_member(one, "transport")))
    return Package(
        **_texts(one, _OF_PACKAGE),
        transport=transport,
        inputs=(
            *_inputs(one, "environmentVariables", "environment"),
            *_inputs(one, "runtimeArguments", "runtime"),
            *_inputs(one, "packageArguments", "package"),
        ),
    )


def _transport(one: Mapping[str, Any]) -> Transport:
    return Transport(_text(one, "type"), _text(one, "url"), (*_inputs(one, "headers", "header"), *_variables(one)))


def _inputs(holder: Mapping[str, Any], member: str, where: str) -> tuple[Input, ...]:
    found: list[Input] = []
    for one in _objects(holder, member):
        found += [_input(one, _text(one, "name") or _text(one, "valueHint"), where), *_variables(one)]
    return tuple(found)


def _variables(holder: Mapping[str, Any]) -> list[Input]:
    described = _object(_member(holder, "variables"))
    return [_input(_object(one), str(name), "variable") for name, one in described.items()]


def _input(one: Mapping[str, Any], name: str, where: str) -> Input:
    return Input(
        where=where,
        name=name,
        description=_text(one, "description"),
        is_required=_member(one, "isRequired") is True,
        is_secret=_member(one, "isSecret") is True,
        default=_text(one, "default"),
        value=_text(one, "value"),
    )


def _member(holder: Any, name: str) -> Any:
    if not isinstance(holder, Mapping):
        return None
    found = holder.get(name)
    return holder.get(_CAPITAL.sub("_", name).lower()) if found is None else found


def _texts(holder: Any, names: Mapping[str, str]) -> dict[str, str]:
    return {ours: _text(holder, name) for ours, name in names.items()}


def _text(holder: Any, name: str) -> str:
    found = _member(holder, name)
    return found if isinstance(found, str) else ""


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(holder: Any, name: str) -> list[Mapping[str, Any]]:
    found = _member(holder, name)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
