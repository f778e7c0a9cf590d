"""What a task asks, as pages show it. Pure: questions come from hosted servers, so nothing of them is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from hosting.runner.upstream.messages import GUESSED

ELICITATION = "elicitation/create"
_OTHERS = {
    "sampling/createMessage": "The server asks for a model's answer.",
    "roots/list": "The server asks which folders it may work in.",
}


@dataclass(frozen=True)
class Question:
    """`kind`: form (of `schema`), url (a page to visit: `url`, on `host`), or client (only the client can answer).

    `url` is "" where what the server gave is no link that a browser should follow; `address` is what it gave.
    `is_guess`: several of the server's calls ran, and it could not say which of them asks.
    """

    key: str
    kind: str
    message: str
    schema: Mapping[str, Any]
    url: str = ""
    host: str = ""
    address: str = ""
    asked: Any = None
    is_guess: bool = False


def question_of(key: str, asked: object) -> Question:
    """`asked` is {"method", "params"} as the runner noted it."""
    members = asked if isinstance(asked, dict) else {}
    method, params = str(members.get("method", "")), members.get("params")
    params = params if isinstance(params, dict) else {}
    meta = params.get("_meta")
    return replace(_question(key, method, params), is_guess=isinstance(meta, dict) and GUESSED in meta)


def _question(key: str, method: str, params: dict[str, Any]) -> Question:
    if method != ELICITATION:
        message = _OTHERS.get(method, f"The server asks for {method[:100]}.")
        return Question(key, "client", message, {}, asked={k: v for k, v in params.items() if k != "_meta"})
    message = str(params.get("message", ""))
    if params.get("mode") == "url":
        address = str(params.get("url", ""))
        url, host = _link(address)
        return Question(key, "url", message, {}, url, host, address)
    schema = params.get("requestedSchema")
    return Question(key, "form", message, schema if isinstance(schema, dict) else {})


def questions_of(questions: Mapping[str, Any]) -> list[Question]:
    return [question_of(key, asked) for key, asked in questions.items()]


def _link(address: str) -> tuple[str, str]:
    """(address, its host as the resolver is asked for it), or two times "" for what is no web page's.

    2025-11-25 client/elicitation, "URL Mode": the full domain is shown, so that nobody is led astray; a name that
    only looks like another is shown as what it is (IDNA).
    """
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError:
        return "", ""
    has_user = parts.username is not None or parts.password is not None
    if parts.scheme not in ("https", "http") or not host or has_user or any(c.isspace() for c in address):
        return "", ""
    return address, host
