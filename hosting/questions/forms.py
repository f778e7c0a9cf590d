"""A form elicitation that asks for a secret. Pure.

What people type into a form passes through their client, and through whatever that shows and keeps; so servers must
not ask for secrets there (2025-11-25 client/elicitation, "Statement on Security"; the same in 2026-07-28).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hosting.questions.secret_words import asks_for_secret, labels_secret, names_secret, words_of

MAX_DEPTH = 6
_SHORT = 6  # words: a description that is no sentence is read as a label
_SAID_SECRET = ("writeOnly", "secret", "isSecret", "sensitive", "x-secret")
_TYPED = frozenset({"string", "number", "integer"})

ADVICE = (
    "Declare it in server.json as a secret variable or header, so that it is asked for once and kept sealed, "
    "or send the person to a page of yours with a URL elicitation."
)


def refusal_of_form(params: Mapping[str, Any]) -> str:
    """Why the form of these raw ElicitRequestParams isn't shown to anybody, for its server; "" when it may be."""
    field = secret_field(params)
    if not field:
        return ""
    return f"The field “{field[:100]}” asks for a secret, which must not be typed into a form. {ADVICE}"


def secret_field(params: Mapping[str, Any]) -> str:
    """The first field of `requestedSchema` that a person would type a secret into; "" for none."""
    schema = params.get("requestedSchema")
    fields = list(_fields(schema, 0))
    for name, definition in fields:
        if is_secret(name, definition):
            return name
    if asks_for_secret(str(params.get("message") or "")):
        return next((name for name, definition in fields if _is_typed(definition)), "")
    return ""


def is_secret(name: str, definition: Mapping[str, Any]) -> bool:
    if definition.get("format") == "password" or any(definition.get(mark) is True for mark in _SAID_SECRET):
        return True
    if not _is_typed(definition):
        return False
    title, description = (str(definition.get(each) or "") for each in ("title", "description"))
    is_label = len(words_of(description)) <= _SHORT and labels_secret(description)
    return names_secret(name) or labels_secret(title) or is_label or asks_for_secret(description)


def _is_typed(definition: Mapping[str, Any]) -> bool:
    """Not one that is ticked or chosen: which of several tokens to use is no secret."""
    kind = definition.get("type", "string")
    kinds = kind if isinstance(kind, list) else [kind]
    is_choice = any(name in definition for name in ("enum", "oneOf", "anyOf", "const"))
    return not is_choice and any(each in _TYPED for each in kinds if isinstance(each, str))


def _fields(schema: object, depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(name, definition) of each property. Schemas are flat by the specification; what is deeper is read all the same,
    since some client may show it."""
    if not isinstance(schema, Mapping) or depth > MAX_DEPTH:
        return
    properties = schema.get("properties")
    for name, definition in properties.items() if isinstance(properties, Mapping) else ():
        if isinstance(definition, Mapping):
            yield str(name), definition
            yield from _fields(definition, depth + 1)
    for part in ("items", "allOf", "oneOf", "anyOf", "then", "else"):
        inner = schema.get(part)
        for each in inner if isinstance(inner, list) else [inner]:
            yield from _fields(each, depth + 1)
