"""What has to be filled in before a server runs, and texts with gaps for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_TEXT = 2000
_BRACES = re.compile(r"\{([A-Za-z_][\w.-]{0,99})\}")
_NOT_IN_VARIABLE = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True)
class Setting:
    """`where` is environment, argument, header or variable. A secret's default is not kept."""

    name: str
    where: str
    description: str = ""
    is_required: bool = False
    is_secret: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    placeholder: str = ""

    @property
    def variable(self) -> str:
        """An environment variable for it in a shell."""
        found = _NOT_IN_VARIABLE.sub("_", self.name).strip("_").upper() or "VALUE"
        return found if not found[0].isdigit() else f"_{found}"

    @property
    def input_id(self) -> str:
        return self.variable.lower().replace("_", "-")


Part = str | Setting


@dataclass(frozen=True)
class Text:
    """What is fixed and what is filled in, in turn: ("Bearer ", Setting("token"))."""

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, *parts: Part) -> Text:
        return cls(tuple(part for part in parts if part != ""))

    @property
    def settings(self) -> list[Setting]:
        return [part for part in self.parts if isinstance(part, Setting)]

    @property
    def is_fixed(self) -> bool:
        return not self.settings

    def filled(self, fill: Any) -> str:
        """`fill` writes a gap as the place needs it."""
        return "".join(part if isinstance(part, str) else fill(part) for part in self.parts)


def text_of(one: Mapping[str, Any], name: str, where: str) -> Text | None:
    """The value that a declared input gets. None: nothing is needed, and nothing is set."""
    is_secret = one.get("isSecret") is True
    if isinstance(value := one.get("value"), str) and value:
        return template(value, one.get("variables"), where, is_secret=is_secret, implied=where == "header")
    found = setting(one, name, where)
    if found.default:
        return Text.of(found.default)
    return Text.of(found) if found.is_required or found.is_secret else None


def setting(one: Mapping[str, Any], name: str, where: str) -> Setting:
    is_secret = one.get("isSecret") is True
    choices = one.get("choices")
    return Setting(
        name=name,
        where=where,
        description=_text(one.get("description")),
        is_required=one.get("isRequired") is True,
        is_secret=is_secret,
        default="" if is_secret else _value(one.get("default")),
        choices=tuple(_text(each) for each in choices[:100]) if isinstance(choices, list) else (),
        placeholder="" if is_secret else _text(one.get("placeholder")),
    )


def template(value: str, described: Any, where: str, *, is_secret: bool = False, implied: bool = False) -> Text:
    """`{name}` is a gap where `described` knows the name, or where nothing else could be meant (`implied`). A fixed
    value that is called secret is a gap as a whole: nobody wants a stranger's."""
    known = described if isinstance(described, Mapping) else {}
    parts: list[Part] = []
    at = 0
    for match in _BRACES.finditer(value):
        one = known.get(match[1])
        if not isinstance(one, Mapping) and not implied:
            continue
        parts += [value[at : match.start()], _gap(one, match[1], is_secret)]
        at = match.end()
    if is_secret and not any(isinstance(part, Setting) for part in parts):
        return Text.of(Setting("secret", where, is_required=True, is_secret=True))
    return Text.of(*parts, value[at:])


def _gap(one: Any, name: str, is_secret: bool) -> Setting:
    if not isinstance(one, Mapping):
        return Setting(name, "variable", is_required=True, is_secret=is_secret)
    return setting({**one, "isRequired": True, "isSecret": one.get("isSecret") is True or is_secret}, name, "variable")


def all_settings(texts: Sequence[Text]) -> list[Setting]:
    """Each once, in their order."""
    return list(dict.fromkeys(one for text in texts for one in text.settings))


def _value(value: Any) -> str:
    """Whole: a command that lacked its end would be another one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def _text(value: Any) -> str:
    return _value(value)[:MAX_TEXT]
