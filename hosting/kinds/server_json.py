"""From a `server.json` to what is hosted: the package or remote that fits, and the inputs it declares. Pure.

Schema: server.json 2025-12-11. Documents in the field differ from it in many ways, so what can't be read is left out;
only what couldn't be hosted as meant is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from common.errors import BadInput
from hosting.kinds.declared import Declared, Format, Where
from hosting.kinds.public_indexes import NPM, PYPI, PYPI_SIMPLE
from hosting.kinds.reference import Reference, parse

MAX_INPUTS = 200
MAX_CHOICES = 200
MAX_NAME = 200
MAX_TEXT = 2000

_OWN_INDEX = {
    "pypi": {"", PYPI, PYPI_SIMPLE},
    "npm": {"", NPM},
}
# Options of npx, uvx and python that only say how to find and start the package: Slipway does that itself.
_LAUNCHERS = {"-y", "--yes", "-q", "--quiet", "--from", "--with", "--python", "-p", "--package", "-m", "--prefix", "-e"}
_BRACES = re.compile(r"\{([A-Za-z_][\w.-]{0,99})\}")


@dataclass(frozen=True)
class Chosen:
    """`reference` is None for a remote, whose `remote` is {"url": template, "transport": type}."""

    name: str
    title: str
    version: str
    reference: Reference | None
    remote: dict[str, str]
    declared: tuple[Declared, ...]
    notices: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """What a deployment of it refers to."""
        return str(self.reference) if self.reference else f"remote:{self.remote['url']}"


def choose(document: Any) -> Chosen:
    """The first package from PyPI or npm that speaks stdio, else the first remote. Raises BadInput."""
    if not isinstance(document, dict):
        raise _refused("A server.json is a JSON object.")
    if isinstance(document.get("server"), dict):  # as the registry's API wraps it
        document = document["server"]
    packages, remotes = _objects(document.get("packages")), _objects(document.get("remotes"))
    for package in packages:
        if _fits(package):
            return _of_package(document, package)
    for transport in ("streamable-http", "sse"):
        for remote in remotes:
            if remote.get("type") == transport and isinstance(remote.get("url"), str):
                return _of_remote(document, remote)
    if offered := sorted({_said(package) for package in packages}):
        raise _refused(
            "This server.json offers no package from PyPI or npm that speaks stdio, and no remote; "
            f"it offers {', '.join(offered)}."
        )
    raise _refused("This server.json offers no package from PyPI or npm that speaks stdio, and no remote.")


def _fits(package: Mapping[str, Any]) -> bool:
    kind = package.get("registryType")
    transport = package.get("transport")
    speaks = transport.get("type", "stdio") if isinstance(transport, dict) else "stdio"
    base = str(package.get("registryBaseUrl") or "").rstrip("/")
    return kind in _OWN_INDEX and speaks == "stdio" and base in _OWN_INDEX[kind]


def _said(package: Mapping[str, Any]) -> str:
    transport = package.get("transport")
    speaks = transport.get("type") if isinstance(transport, dict) else ""
    base = package.get("registryBaseUrl")
    return " ".join(
        str(part)[:100]
        for part in (package.get("registryType"), f"over {speaks}" if speaks else "", f"from {base}" if base else "")
        if part
    )


def _of_package(document: Mapping[str, Any], package: Mapping[str, Any]) -> Chosen:
    kind, identifier = package["registryType"], str(package.get("identifier", ""))
    version = package.get("version")
    pinned = isinstance(version, str) and version not in ("", "latest")
    reference = parse(f"{kind}:{identifier}" + (("==" if kind == "pypi" else "@") + str(version) if pinned else ""))
    notices: list[str] = []
    arguments = [*_runtime_arguments(package, notices), *_objects(package.get("packageArguments"))]
    declared = [
        *(_pair(one, "env") for one in _objects(package.get("environmentVariables"))),
        *(_argument(one, position) for position, one in enumerate(arguments)),
    ]
    return _chosen(document, reference, {}, declared, notices)


def _of_remote(document: Mapping[str, Any], remote: Mapping[str, Any]) -> Chosen:
    declared: list[Declared | None] = [_pair(one, "header") for one in _objects(remote.get("headers"))]
    described = remote.get("variables")
    declared += _variables(remote["url"], described if isinstance(described, dict) else {}, is_secret=False)
    return _chosen(document, None, {"url": remote["url"], "transport": remote["type"]}, declared, [])


def _chosen(
    document: Mapping[str, Any],
    reference: Reference | None,
    remote: dict[str, str],
    declared: Iterable[Declared | None],
    notices: list[str],
) -> Chosen:
    found = list(_named_apart(one for one in declared if one is not None))
    if len(found) > MAX_INPUTS:
        raise _refused(f"This server.json declares more than {MAX_INPUTS} inputs.")
    return Chosen(
        name=_text(document.get("name"), MAX_NAME),
        title=_text(document.get("title"), 100),
        version=_text(document.get("version"), MAX_NAME),
        reference=reference,
        remote=remote,
        declared=tuple(found),
        notices=tuple(notices),
    )


def _runtime_arguments(package: Mapping[str, Any], notices: list[str]) -> Iterator[Mapping[str, Any]]:
    """Those that are meant for the server: publishers put inputs here that npx and uvx would never hand on."""
    dropped: list[str] = []
    for one in _objects(package.get("runtimeArguments")):
        name, value = str(one.get("name") or ""), one.get("value")
        if name.startswith("-") and name not in _LAUNCHERS and value is None:
            yield one
        elif (said := name or str(value or one.get("valueHint") or "")) not in _LAUNCHERS:
            dropped.append(said[:100])
    if dropped:
        notices.append(
            f"Arguments for the launcher aren't used, because Slipway starts the package itself: {', '.join(dropped)}."
        )


def _argument(one: Mapping[str, Any], position: int) -> Declared | None:
    flag = _text(one.get("name"), MAX_NAME) if one.get("type") != "positional" else ""
    name = flag or _text(one.get("valueHint"), MAX_NAME) or f"argument {position + 1}"
    if not flag and one.get("value") is None and one.get("type") not in ("positional", "", None):
        return None
    return _input(one, name, "argument", flag=flag, position=position, is_repeated=one.get("isRepeated") is True)


def _pair(one: Mapping[str, Any], where: Where) -> Declared | None:
    name = _text(one.get("name"), MAX_NAME)
    return _input(one, name, where) if name else None


def _input(one: Mapping[str, Any], name: str, where: Where, **more: Any) -> Declared:
    template = _text(one.get("value"), MAX_TEXT)
    is_secret = one.get("isSecret") is True
    described = one.get("variables")
    variables: list[Declared | None] = []
    if template:
        # A brace without a variable stays as it is, says the schema. In a header nothing could be meant by that:
        # half of the published ones write "Bearer {token}" and leave the variable to the reader.
        known = described if isinstance(described, dict) else {}
        implied = where == "header"
        variables = _variables(template, known, is_secret=implied or is_secret, only_known=not implied)
    choices = one.get("choices")
    format_ = one.get("format")
    return Declared(
        name=name,
        where=where,
        description=_text(one.get("description"), MAX_TEXT),
        is_required=one.get("isRequired") is True,
        is_secret=is_secret,
        default=_text(one.get("default"), MAX_TEXT),
        choices=tuple(_text(each, MAX_TEXT) for each in choices[:MAX_CHOICES]) if isinstance(choices, list) else (),
        format=cast(Format, format_) if format_ in get_args(Format) else "string",
        placeholder=_text(one.get("placeholder"), MAX_TEXT),
        value_template=template,
        variables=tuple(each for each in variables if each is not None),
        **more,
    )


def _variables(
    template: str, described: Mapping[str, Any], *, is_secret: bool, only_known: bool = False
) -> list[Declared | None]:
    """The variables of a template, in its order. One that isn't described is a required text."""
    found: list[Declared | None] = []
    for name in dict.fromkeys(_BRACES.findall(template)):
        known = described.get(name)
        if isinstance(known, dict):
            found.append(_input({**known, "value": None}, name, "variable"))
        elif not only_known:
            found.append(Declared(name=name, where="variable", is_required=True, is_secret=is_secret))
    return found


def _named_apart(declared: Iterable[Declared]) -> Iterator[Declared]:
    """Each with a name that no other of its place has; of two variables or headers with one name the first counts."""
    seen: set[tuple[str, str]] = set()
    for one in declared:
        name, number = one.name, 1
        while (one.where, name) in seen:
            number += 1
            name = f"{one.name} {number}"
        if number > 1 and one.where != "argument":
            continue
        seen.add((one.where, name))
        yield replace(one, name=name)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Any, most: int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:most] if isinstance(value, str | int | float) else ""


def _refused(message: str) -> BadInput:
    return BadInput("bad_server_json", message, field="server_json")
