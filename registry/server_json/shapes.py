"""The members of a server.json: their types and limits, as a table for `binding`. Pure.

One table serves all dated versions: those up to 2025-07-09 wrote members with underscores, which no longer bind, and
what later versions added is optional. What the versions differ in is left to their JSON Schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

PUBLISHER_PROVIDED = "io.modelcontextprotocol.registry/publisher-provided"


@dataclass(frozen=True)
class Text:
    least: int = 0
    most: int | None = None
    pattern: str = ""
    choices: tuple[str, ...] = ()
    is_uri: bool = False


@dataclass(frozen=True)
class Flag:
    pass


@dataclass(frozen=True)
class Anything:
    """An object with whatever members."""


@dataclass(frozen=True)
class Many:
    """An array, or null."""

    of: Shape


@dataclass(frozen=True)
class Named:
    """An object whose members all have one shape."""

    of: Shape


@dataclass(frozen=True)
class Members:
    """An object with these members, and no others unless it `is_open`."""

    members: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    is_open: bool = False


Shape = Union[Text, Flag, Anything, Many, Named, Members]  # noqa: UP007  # the names are needed before they are made

_INPUT: dict[str, Shape] = {
    "choices": Many(Text()),
    "default": Text(),
    "description": Text(),
    "format": Text(choices=("string", "number", "boolean", "filepath")),
    "isRequired": Flag(),
    "isSecret": Flag(),
    "placeholder": Text(),
    "value": Text(),
}
_VARIABLES: dict[str, Shape] = {"variables": Named(Members(_INPUT))}
_KEY_VALUE = Members({**_INPUT, **_VARIABLES, "name": Text()}, ("name",))
_ARGUMENT = Members(
    {**_INPUT, **_VARIABLES, "isRepeated": Flag(), "name": Text(), "type": Text(), "valueHint": Text()}, ("type",)
)
_TRANSPORT = Members({"headers": Many(_KEY_VALUE), "type": Text(), "url": Text(), **_VARIABLES}, ("type",))
_ICON = Members(
    {
        "mimeType": Text(choices=("image/png", "image/jpeg", "image/jpg", "image/svg+xml", "image/webp")),
        "sizes": Many(Text()),
        "src": Text(most=255, is_uri=True),
        "theme": Text(choices=("light", "dark")),
    },
    ("src",),
)
_PACKAGE = Members(
    {
        "environmentVariables": Many(_KEY_VALUE),
        "fileSha256": Text(pattern=r"^[a-f0-9]{64}$"),
        "identifier": Text(least=1),
        "packageArguments": Many(_ARGUMENT),
        "registryBaseUrl": Text(is_uri=True),
        "registryType": Text(least=1),
        "runtimeArguments": Many(_ARGUMENT),
        "runtimeHint": Text(),
        "transport": _TRANSPORT,
        "version": Text(least=1, most=255),
    },
    ("registryType", "identifier", "transport"),
)
_REPOSITORY = Members({"id": Text(), "source": Text(), "subfolder": Text(), "url": Text(is_uri=True)})

SERVER = Members(
    {
        "$schema": Text(least=1, is_uri=True),
        # Others' keys may stand here, say the registry's documents; `validation.normalised` leaves them out.
        "_meta": Members({PUBLISHER_PROVIDED: Anything()}, is_open=True),
        "description": Text(least=1, most=100),
        "icons": Many(_ICON),
        "name": Text(least=3, most=200, pattern=r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$"),
        "packages": Many(_PACKAGE),
        "remotes": Many(_TRANSPORT),
        "repository": _REPOSITORY,
        "title": Text(least=1, most=100),
        "version": Text(least=1, most=255),
        "websiteUrl": Text(is_uri=True),
    },
    ("$schema", "name", "description", "version"),
)
