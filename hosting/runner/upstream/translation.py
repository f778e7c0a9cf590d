"""What a modern client's request is to a legacy child, and what that child's outcomes are to a modern client. Pure.

Sources: 2026-07-28 basic/index (ResultType, Error Codes), server/utilities/caching and server/utilities/logging.
"""

from __future__ import annotations

import msgspec

from hosting.runner.upstream import messages as m

_CACHEABLE = frozenset({"tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"})
_RESOURCE_NOT_FOUND = msgspec.Raw(b"-32002")
LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")


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
    """Without a code that must not be sent any more; for the other one see `pages`."""
    if b"-32002" not in error:
        return error
    members = m.decode_members(error)
    if members.get("code") == _RESOURCE_NOT_FOUND:
        members["code"] = msgspec.Raw(b"-32602")
    return m.encode(members)


def is_loud_enough(params: bytes, level: str) -> bool:
    """Whether a log message is at or above the level that its request asked for."""
    return _rank(msgspec.json.decode(params or b"{}", type=_Logged).level) >= _rank(level)


def is_lower(level: str, other: str) -> bool:
    return _rank(level) < _rank(other)


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)
