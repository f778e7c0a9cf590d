"""What a deployment is started with: the inputs that its version declares, and settings of its owner's own. Pure.

A value is kept by its key, "where:name": "env:API_KEY", "argument:root", "header:Authorization", "variable:tenant".
So an environment variable that an owner added by hand and one that a later version declares are the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self
from urllib.parse import quote, urlsplit, urlunsplit

from django.utils.translation import gettext

from hosting.kinds.declared import Declared, asked

MAX_VALUE: Final = 16 * 1024  # characters of one value
MAX_TOTAL: Final = 128 * 1024  # of all together
MAX_SETTINGS: Final = 200
MAX_ARGUMENTS: Final = 100
MAX_ARGUMENT: Final = 4096
MIN_MASKED: Final = 6  # shorter values would blot out ordinary words

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")  # RFC 9110, 5.6.2
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110, 5.5, as latin-1
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
# What the platform or the loader of programs reads: set by the owner, it would break or leave the sandbox's frame.
_RESERVED_ENV = re.compile(
    r"(PATH|HOME|TMPDIR|TMP|TEMP|SHELL|BASH_ENV|ENV|IFS|GLIBC_TUNABLES|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+"
    r"|(?i:https?|all|no|ftp)_(?i:proxy)|(LD_|DYLD_|PYTHON|SLIPWAY_)\w*)"
)
_RESERVED_HEADERS = re.compile(
    r"(?i:host|connection|content-(length|type)|transfer-encoding|te|trailer|upgrade|keep-alive|proxy-\w+|accept(-encoding)?"
    r"|expect|last-event-id|cookie|mcp-.*)"
)


class Given(Protocol):
    """Values of a deployment, by key."""

    @property
    def values(self) -> Mapping[str, str]: ...
    @property
    def arguments(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Plain:
    """The column Deployment.inputs: what pages may show. `sealed_at` says which secrets are set, and since when."""

    values: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    sealed_at: dict[str, str] = field(default_factory=dict)  # key → ISO 8601

    @classmethod
    def from_json(cls, column: Mapping[str, Any]) -> Self:
        return cls(
            dict(column.get("values") or {}),
            tuple(column.get("arguments") or ()),
            dict(column.get("sealed_at") or {}),
        )

    def to_json(self) -> dict[str, Any]:
        return {"values": self.values, "arguments": list(self.arguments), "sealed_at": self.sealed_at}


@dataclass(frozen=True)
class Settings:
    """Everything an instance is started with, secrets included: `values` never shows up in a repr."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    arguments: tuple[str, ...] = ()
    secret_keys: frozenset[str] = frozenset()

    @property
    def masked(self) -> list[str]:
        """What must not be shown where its output is: secrets and their lines, the longest first."""
        found = {part for key in self.secret_keys for part in _masked(self.values.get(key, ""))}
        return sorted(found, key=lambda value: (-len(value), value))


def key_of(declared: Declared) -> str:
    return f"{declared.where}:{declared.name}"


def key_parts(key: str) -> tuple[str, str]:
    where, _, name = key.partition(":")
    return where, name


# --- checking


def problem_of_name(key: str) -> str:
    """What is wrong with the name of a setting that an owner adds, in words; "" for nothing."""
    where, name = key_parts(key)
    if where == "env":
        if not _ENV_NAME.fullmatch(name):
            return gettext("The name of an environment variable has letters, digits and “_”, and begins with no digit.")
        if _RESERVED_ENV.fullmatch(name):
            return gettext("%(name)s is set by the platform itself and can't be changed.") % {"name": name}
        return ""
    if where == "header":
        if not _HEADER_NAME.fullmatch(name):
            return gettext("The name of a header has letters, digits and “-”.")
        if _RESERVED_HEADERS.fullmatch(name):
            return gettext("The header %(name)s belongs to the protocol and can't be changed.") % {"name": name}
        return ""
    return gettext("This server asks for no such setting.")


def problem_of_value(key: str, value: str, declared: Declared | None = None) -> str:
    """What is wrong with a value, in words; "" for nothing. An empty value is none."""
    where, _ = key_parts(key)
    if len(value) > MAX_VALUE:
        return gettext("A value has at most %(max_value)s characters; this one has %(count)s.") % {
            "max_value": MAX_VALUE,
            "count": len(value),
        }
    if "\0" in value or not _is_text(value):
        return gettext("A value can't have a NUL character or half a character in it.")
    if where == "header" and not _HEADER_VALUE.fullmatch(value):
        return gettext("A header's value is one line of Latin letters, digits and signs.")
    if where == "variable" and ("\r" in value or "\n" in value):
        return gettext("This value is one line.")
    if where == "variable" and value in (".", ".."):
        return gettext("This can't be a part of an address.")  # RFC 3986, 5.2.4: it would take another part away
    if declared is None or not value:
        return ""
    return _problem_of_declared(value, declared)


def _problem_of_declared(value: str, declared: Declared) -> str:
    for each in value.splitlines() if declared.is_repeated else [value]:
        if declared.choices and each not in declared.choices:
            return gettext("This is one of: %(names)s.") % {"names": ", ".join(declared.choices)}
        if declared.format == "number" and not _NUMBER.fullmatch(each):
            return gettext("This is a number.")
        if declared.format == "boolean" and each not in ("true", "false"):
            return gettext("This is true or false.")
    return ""


def problem_of_arguments(arguments: Sequence[str]) -> str:
    if len(arguments) > MAX_ARGUMENTS:
        return gettext("A command has at most %(max_arguments)s further arguments.") % {"max_arguments": MAX_ARGUMENTS}
    if any(len(each) > MAX_ARGUMENT or "\0" in each or not _is_text(each) for each in arguments):
        return gettext("An argument has at most %(max_argument)s characters and no NUL.") % {
            "max_argument": MAX_ARGUMENT
        }
    return ""


def check(declared: Iterable[Declared], given: Given) -> dict[str, str]:
    """What is wrong, by key ("arguments" for those); nothing for values that are merely missing."""
    known = {key_of(one): one for one in asked(declared)}
    found: dict[str, str] = {}
    for key, value in given.values.items():
        # A server may declare a reserved variable; setting it is refused all the same.
        is_free = key not in known or key_parts(key)[0] in ("env", "header")
        if problem := (problem_of_name(key) if is_free else "") or problem_of_value(key, value, known.get(key)):
            found[key] = problem
    if problem := problem_of_arguments(given.arguments):
        found["arguments"] = problem
    if len(given.values) > MAX_SETTINGS:
        found[""] = gettext("A server has at most %(max_settings)s settings.") % {"max_settings": MAX_SETTINGS}
    if sum(map(len, given.values.values())) > MAX_TOTAL:
        found[""] = gettext("All settings together have at most %(max_total)s characters.") % {"max_total": MAX_TOTAL}
    return found


def missing(declared: Iterable[Declared], keys: Iterable[str]) -> list[Declared]:
    """Required inputs that have neither a value nor a default."""
    present = set(keys)
    return [one for one in asked(declared) if one.is_required and not one.default and key_of(one) not in present]


# --- using


def command_of(
    argv: Sequence[str], env: Mapping[str, str], declared: Sequence[Declared], given: Given
) -> tuple[list[str], dict[str, str]]:
    """The command and environment of an instance: the version's own, what is declared, what its owner added."""
    arguments = [
        word
        for one in sorted((each for each in declared if each.where == "argument"), key=lambda each: each.position)
        for word in _words(one, given.values)
    ]
    variables = {
        one.name: value
        for one in declared
        if one.where == "env" and (value := _value(one, given.values)) and not problem_of_name(f"env:{one.name}")
    }
    variables |= _added("env", given.values)
    return [*argv, *arguments, *given.arguments], {**env, **variables}


def files_of(declared: Iterable[Declared], given: Given, wanted: Iterable[str]) -> dict[str, str]:
    """What an instance is given as files, by the variable that names each: the contents of those in `wanted` (keys),
    and of secrets that a server declares as a path. A default is a path of the server's own, and stays one."""
    keys = {*wanted, *(key_of(one) for one in asked(declared) if one.is_secret and one.format == "filepath")}
    found = {key: given.values.get(key, "") for key in keys if key_parts(key)[0] == "env" and not problem_of_name(key)}
    return {key_parts(key)[1]: value for key, value in sorted(found.items()) if value}


def headers_of(declared: Sequence[Declared], given: Given) -> dict[str, str]:
    """The headers of a remote server. A value that can't be sent (a default, a template) is left out."""
    found = {one.name: value for one in declared if one.where == "header" and (value := _value(one, given.values))}
    found |= _added("header", given.values)
    return {
        name: value
        for name, value in found.items()
        if not problem_of_name(f"header:{name}") and _HEADER_VALUE.fullmatch(value)
    }


def url_of(template: str, declared: Sequence[Declared], given: Given) -> str:
    """The address of a remote server. A value is one segment of it at most: it brings no "/", "?", "@" or ":", and is
    put into path and query only, so that whoever sets one can't choose the host that is sent the others' keys."""
    parts = urlsplit(template)
    rest = urlunsplit(("", "", parts.path, parts.query, ""))
    for one in declared:
        if one.where == "variable" and (value := _value(one, given.values)):
            rest = rest.replace("{" + one.name + "}", quote(value, safe=""))
    return f"{parts.scheme}://{parts.netloc}{rest}"


def _value(one: Declared, values: Mapping[str, str]) -> str:
    """ "" when there is none: no value and no default, or a template that lacks one of its variables."""
    if not one.value_template:
        return values.get(key_of(one), "") or one.default
    text = one.value_template
    for variable in one.variables:
        value = values.get(key_of(variable), "") or variable.default
        if not value:
            return ""
        text = text.replace("{" + variable.name + "}", value)
    return text


def _words(one: Declared, values: Mapping[str, str]) -> Iterator[str]:
    """The argument as words of the command line. A flag of boolean format stands alone, or not at all."""
    value = _value(one, values)
    if one.flag and one.format == "boolean" and value in ("true", "false"):
        if value == "true":
            yield one.flag
        return
    for each in value.splitlines() if one.is_repeated else [value] if value else []:
        if one.flag:
            yield one.flag
        yield each


def _added(where: str, values: Mapping[str, str]) -> dict[str, str]:
    pairs = ((key_parts(key), value) for key, value in values.items())
    return {name: value for (place, name), value in pairs if place == where and value}


def _masked(value: str) -> Iterator[str]:
    for part in {value, value.strip(), *(line.strip() for line in value.splitlines())}:
        if len(part) >= MIN_MASKED:
            yield part


def _is_text(value: str) -> bool:
    """False for half of a surrogate pair, which nothing can write."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
