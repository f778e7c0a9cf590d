"""The owner's tool policy at the endpoint: lists lose what isn't approved, calls of it are refused.

A list goes by as bytes while nothing in it is new; results that were looked at are remembered by digest for as long as
the policy stands. One that says something new loses it in the same answer, and the site is told in the background.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog

from common.errors import AppError
from mcp_endpoint.legacy.messages import Call, LegacyPost
from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.records.writing import name_of
from mcp_endpoint.tasks.tools import own
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.rejection import RefusedError, Rejection

if TYPE_CHECKING:
    from hosting.routing import Route
    from hosting.tools.definitions import ToolPolicy
    from mcp_endpoint.directory import Directory
    from mcp_endpoint.wire.inbound import Inbound

log = structlog.get_logger(__name__)

CALL: Final = "tools/call"
LIST: Final = "tools/list"
TELL_SECONDS: Final = 0.3  # what several pages say is told together
_DEPLOYMENTS: Final = 2000
_RESULTS: Final = 32  # of one deployment
_NEWS: Final = 2000  # definitions of one deployment that wait to be told

_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def tool_refusal(route: Route, message: ModernCall | Call) -> Rejection | None:
    """The answer to a call of a tool that the policy hides, None for every other request.

    2025-11-25 and 2026-07-28 server/tools, "Error Handling": an unknown tool is a protocol error, invalid params. The
    modern era answers those with HTTP 400, the legacy one with 200.
    """
    if route.policy.is_open or message.method != CALL:
        return None
    status = 400 if isinstance(message, ModernCall) else 200
    name = called_tool(message)
    if name is None:
        return Rejection(status, j.INVALID_PARAMS, "Invalid params: name must stand once, as a string", message.id)
    words = route.policy.refusal(name) if not own(route, name) else ""
    return Rejection(status, j.INVALID_PARAMS, f"Unknown tool: {words}", message.id) if words else None


def called_tool(message: ModernCall | Call) -> str | None:
    """The name of the called tool as any reader of these params finds it, None where readers could differ.

    Some take the first of two equal members, and Go's encoding/json takes `Name` for `name`. Without either the bytes
    go on as they came.
    """
    params = message.params
    if b"\\" not in params and params.lower().count(b'name"') == 1:
        name = name_of(message, None)
        return name or None
    members = j.decode_members(params)
    if members is None or any(key != "name" and key.casefold() == "name" for key in members):
        return None
    message.params = j.encode(members)
    return j.text_of(members.get("name"))


def check_tool(route: Route, inbound: Inbound) -> None:
    """Raises RefusedError. A batch answers for each of its messages by itself."""
    message: ModernCall | Call | None = None
    if isinstance(inbound, ModernCall):
        message = inbound
    elif isinstance(inbound, LegacyPost) and not inbound.is_batch and isinstance(inbound.messages[0], Call):
        message = inbound.messages[0]
    refusal = tool_refusal(route, message) if message is not None else None
    if refusal is not None:
        raise RefusedError(refusal)


class _Seen:
    """What was looked at under one policy: digest of a result -> what is left of it, None for all."""

    __slots__ = ("policy", "results")

    def __init__(self, policy: ToolPolicy) -> None:
        self.policy = policy
        self.results: dict[bytes, bytes | None] = {}


class ToolPolicies:
    """Applies the policy that a route carries."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._seen: dict[str, _Seen] = {}
        self._news: dict[str, dict[str, dict[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- lists

    def shown(self, route: Route, result: bytes) -> bytes:
        """The result of tools/list as a client may see it: all that isn't dropped stays byte for byte."""
        policy = route.policy
        if policy.is_open:
            return result
        seen = self._seen.get(route.deployment_id)
        if seen is None or seen.policy is not policy:
            if len(self._seen) >= _DEPLOYMENTS:
                self._seen.clear()
            seen = self._seen[route.deployment_id] = _Seen(policy)
        digest = hashlib.sha256(result).digest()
        if digest in seen.results:
            left = seen.results[digest]
        else:
            left = self._left(route, result)
            if len(seen.results) >= _RESULTS:
                seen.results.clear()
            seen.results[digest] = left
        return result if left is None else left

    def shown_resumed(self, route: Route, result: bytes) -> bytes:
        """The same for the outcome of a stream that a client resumes: nobody remembers what it had asked for, so
        whatever looks like a list is taken for one."""
        if route.policy.is_open or b'"tools"' not in result:
            return result
        members = j.decode_members(result)
        return self.shown(route, result) if members is not None and "tools" in members else result

    def _left(self, route: Route, result: bytes) -> bytes | None:
        members = j.decode_members(result)
        if members is None:
            return b'{"tools":[]}'
        try:
            raws = _decode_list(members.get("tools", msgspec.Raw(b"[]")))
        except (msgspec.DecodeError, RecursionError):
            raws = None
        if raws is None:  # what is no list can't be looked through
            members["tools"] = msgspec.Raw(b"[]")
            return j.encode(members)
        kept = [raw for raw in raws if self._may_pass(route, j.decode_any(raw))]
        if len(kept) == len(raws):
            return None
        members["tools"] = msgspec.Raw(b"[" + b",".join(map(bytes, kept)) + b"]")
        return j.encode(members)

    def _may_pass(self, route: Route, tool: Any) -> bool:
        if not isinstance(tool, dict):
            return False
        if route.policy.is_news(tool):
            self._tell(route.deployment_id, tool)
        return route.policy.allows(tool)

    # --- telling the site

    def _tell(self, deployment_id: str, tool: dict[str, Any]) -> None:
        news = self._news.get(deployment_id)
        if news is None:
            news = self._news[deployment_id] = {}
            task = asyncio.get_running_loop().create_task(self._told(deployment_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if len(news) < _NEWS:
            news[tool["name"]] = tool

    async def _told(self, deployment_id: str) -> None:
        """Failing is no harm: the list is looked at again when its policy is, and what is new stays held till then."""
        await asyncio.sleep(TELL_SECONDS)
        news = self._news.pop(deployment_id, {})
        try:
            await self._directory.tools_seen(deployment_id, list(news.values()))
        except AppError as error:
            self._seen.pop(deployment_id, None)
            log.warning("new tools could not be noted", deployment=deployment_id, reason=str(error))
        except Exception:
            log.exception("new tools could not be noted", deployment=deployment_id)
