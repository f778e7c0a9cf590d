"""What a modern client's request is to a legacy child, and what that child's outcomes are to a modern client. Pure.

Sources: 2026-07-28 basic/index (ResultType, Error Codes), server/utilities/caching and server/utilities/logging;
2025-11-25 client/elicitation ("URL Elicitation Required Error").
"""

from __future__ import annotations

from typing import Any

import msgspec

from hosting.runner.upstream import messages as m
from hosting.runner.upstream.capabilities import MISSING_CAPABILITY, lacking

_CACHEABLE = frozenset({"tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"})
_MAY_ASK = frozenset({"tools/call", "prompts/get", "resources/read"})
_RESOURCE_NOT_FOUND = msgspec.Raw(b"-32002")
_URL_REQUIRED = msgspec.Raw(b"-32042")
_URL_CAPABILITY: dict[str, Any] = {"elicitation": {"url": {}}}
LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")


class _UrlRequired(msgspec.Struct):
    elicitations: list[dict[str, Any]] = []


class _Logged(msgspec.Struct):
    level: str = ""


def legacy_params(params: bytes) -> bytes:
    """Without what belongs to a retry (2026-07-28 basic/patterns/mrtr), which a legacy server does not know."""
    if b'"inputResponses"' not in params and b'"requestState"' not in params:
        return params
    members = m.decode_members(params)
    members.pop("inputResponses", None)
    members.pop("requestState", None)
    return m.encode(members)


def modern_result(method: str, result: bytes) -> bytes:
    """With what every modern result has."""
    if not result.startswith(b"{") or b'"resultType"' in result:
        return result
    first = b'"resultType":"complete"'
    if method in _CACHEABLE and b'"ttlMs"' not in result:
        first += b',"ttlMs":0,"cacheScope":"private"'
    return m.with_first(result, first)


def modern_error(error: bytes) -> bytes:
    """Without the codes that must not be sent any more."""
    if b"-32002" not in error and b"-32042" not in error:
        return error
    members = m.decode_members(error)
    if members.get("code") == _RESOURCE_NOT_FOUND:
        members["code"] = msgspec.Raw(b"-32602")
    elif members.get("code") == _URL_REQUIRED:
        members["code"] = msgspec.Raw(m.encode(MISSING_CAPABILITY))
        members["data"] = msgspec.Raw(m.encode({"requiredCapabilities": _URL_CAPABILITY}))
    return m.encode(members)


def url_questions(method: str, error: bytes, capabilities: bytes) -> bytes:
    """The InputRequiredResult that says what "URL elicitation required" says; b"" where the client can't be asked."""
    if b"-32042" not in error or method not in _MAY_ASK:
        return b""
    members = m.decode_members(error)
    if members.get("code") != _URL_REQUIRED or "data" not in members:
        return b""
    asked = msgspec.json.decode(members["data"], type=_UrlRequired).elicitations
    if not asked or lacking("elicitation/create", b'{"mode":"url"}', capabilities):
        return b""
    requests = {}
    for number, params in enumerate(asked, 1):
        kept = {name: value for name, value in params.items() if name != "elicitationId"}
        requests[f"url{number}"] = {"method": "elicitation/create", "params": {**kept, "mode": "url"}}
    return m.encode({"resultType": "input_required", "inputRequests": requests})


def is_loud_enough(params: bytes, level: str) -> bool:
    """Whether a log message is at or above the level that its request asked for."""
    return _rank(msgspec.json.decode(params or b"{}", type=_Logged).level) >= _rank(level)


def is_lower(level: str, other: str) -> bool:
    return _rank(level) < _rank(other)


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)
