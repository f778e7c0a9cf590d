"""What a server asks its host for: the inputs of a `server.json`, or a setting that its own words named. Pure.

Source: schema of server.json, 2025-12-11 (Input, KeyValueInput, PositionalArgument, NamedArgument, RemoteTransport).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Where = Literal["env", "argument", "header", "variable", "account"]  # account: of its user, elsewhere
Format = Literal["string", "number", "boolean", "filepath"]


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One input. `name` is unique among those of one version, so that values can be kept by it.

    An input with a `value_template` isn't asked for; its `variables`, which stand in the template in braces, are.
    """

    name: str
    where: Where
    flag: str = ""  # of a named argument, as it stands on the command line: "--port"; "" for a positional one
    description: str = ""
    is_required: bool = False
    is_secret: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    format: Format = "string"
    placeholder: str = ""
    value_template: str = ""  # "Bearer {token}"; a brace that names no variable stays as it is
    variables: tuple[Declared, ...] = ()  # where == "variable"; of a remote's URL they stand for themselves
    is_repeated: bool = False
    position: int = -1  # of an argument: its place on the command line, from 0

    @property
    def is_fixed(self) -> bool:
        """There is nothing to ask: the value is written out."""
        return bool(self.value_template) and not self.variables


def asked(declared: Iterable[Declared]) -> list[Declared]:
    """What a form asks for: inputs without a template, and the variables of the others."""
    found: list[Declared] = []
    for one in declared:
        found += one.variables if one.value_template else [one]
    return found


def to_json(declared: Iterable[Declared]) -> list[dict[str, Any]]:
    """For the version's JSON column."""
    plain: list[dict[str, Any]] = msgspec.to_builtins(list(declared))
    return plain


def from_json(rows: Sequence[Any]) -> tuple[Declared, ...]:
    """What `to_json` gave. Raises msgspec.ValidationError for anything else."""
    return msgspec.convert(rows, tuple[Declared, ...])
