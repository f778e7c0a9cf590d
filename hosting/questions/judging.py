"""Which of a hosted server's questions are put to nobody, and why. Pure; all of it is raw JSON.

Questions come as requests (handshake revisions), in an InputRequiredResult (2026-07-28 basic/patterns/mrtr) or in the
error "URL elicitation required" (2025-11-25 client/elicitation).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hosting.questions.forms import refusal_of_form
from hosting.questions.pages import refusal_of_page
from hosting.runner.placement import Pages

ELICITATION = "elicitation/create"
URL_REQUIRED = -32042
MARK = b'"input_required"'  # stands in every result that asks for something, once it is `plain`
NOT_ASKED = {"reason": "question_refused"}  # data of the error that a call ends with for such a question
_KIND = msgspec.Raw(MARK)


class _Question(msgspec.Struct):
    method: str = ""
    params: dict[str, Any] = {}


class _Result(msgspec.Struct):
    kind: Any = msgspec.field(name="resultType", default="")
    requests: dict[str, msgspec.Raw] = msgspec.field(name="inputRequests", default_factory=dict)


class _Kind(msgspec.Struct):
    kind: Any = msgspec.field(name="resultType", default="")


class _Error(msgspec.Struct):
    code: int | float = 0
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _UrlRequired(msgspec.Struct):
    elicitations: list[dict[str, Any]] = []


def refusal_of(method: str, params: bytes, pages: Pages) -> str:
    """Of one request. What can't be read is refused too: some client may read it."""
    if method != ELICITATION:
        return ""
    try:
        return _refusal(msgspec.json.decode(params or b"{}", type=dict[str, Any]), pages)
    except (msgspec.DecodeError, RecursionError):
        return "The question can't be read."


def _refusal(params: Mapping[str, Any], pages: Pages) -> str:
    if params.get("mode") == "url":
        return refusal_of_page(str(params.get("url") or ""), pages)
    return refusal_of_form(params)


def refusal_of_requests(requests: Mapping[str, msgspec.Raw], pages: Pages) -> str:
    """Of the first of these {"method", "params"} that is refused."""
    for raw in requests.values():
        try:
            question = msgspec.json.decode(raw, type=_Question)
        except (msgspec.DecodeError, RecursionError):
            return "The question can't be read."
        if question.method == ELICITATION and (words := _refusal(question.params, pages)):
            return words
    return ""


def plain(result: bytes) -> bytes:
    """A result as it was sent, but that what asks for something says so without escapes, wherever it is looked for."""
    if b"\\u00" not in result:
        return result
    try:
        if msgspec.json.decode(result, type=_Kind).kind != "input_required":
            return result
        members = msgspec.json.decode(result, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return result
    return msgspec.json.encode({**members, "resultType": _KIND})


def refusal_of_result(result: bytes, pages: Pages) -> str:
    """Of a `plain` result that may ask for something."""
    if MARK not in result:
        return ""
    try:
        asked = msgspec.json.decode(result, type=_Result)
    except (msgspec.DecodeError, RecursionError):
        return ""  # no object that any client could take for a question
    return refusal_of_requests(asked.requests, pages) if asked.kind == "input_required" else ""


def refusal_of_error(error: bytes, pages: Pages) -> str:
    """Of a JSON-RPC error object that may send somebody to a page."""
    try:
        asked = pages_required(error) or []
    except (msgspec.DecodeError, RecursionError):
        return "The question can't be read."
    urls = [str(each.get("url") or "") for each in asked]
    return next((words for url in urls if (words := refusal_of_page(url, pages))), "")


def pages_required(error: bytes) -> list[dict[str, Any]] | None:
    """What a JSON-RPC error object "URL elicitation required" asks for, None of any other.

    Raises msgspec.DecodeError and RecursionError for what its `data` should not be.
    """
    try:
        found = msgspec.json.decode(error, type=_Error)
    except (msgspec.DecodeError, RecursionError):
        return None
    return msgspec.json.decode(found.data, type=_UrlRequired).elicitations if found.code == URL_REQUIRED else None
