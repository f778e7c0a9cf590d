"""What clients are told while their user's credentials are missing. Pure.

Sources: 2025-11-25 client/elicitation ("URL Elicitation Required Error"), 2026-07-28 basic/patterns/mrtr and
server/discover.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from hosting.runner.upstream.capabilities import lacking
from mcp_endpoint.personal.persons import CONNECT, Asked, Greeting
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.revisions import LEGACY, MODERN

URL_REQUIRED: Final = -32042
KEY: Final = "credentials"  # of our question in inputRequests
_SERVER_INFO: Final = "io.modelcontextprotocol/serverInfo"
_CONNECT: Final[dict[str, Any]] = {
    "name": CONNECT,
    "title": "Connect your account",
    "description": "This server needs credentials of its user's own before it can be used. Call this to be told where "
    "the user types them, then list the tools again.",
    "inputSchema": {"type": "object", "properties": {}, "additionalProperties": False},
}
CONNECTED: Final = "The credentials are there. List the tools again to see what this server can do."
NOBODY: Final = "This server needs credentials of each user's own. Call it with an account of this site: sign in first."


def asks_by_url(capabilities: bytes) -> bool:
    """Whether the client declared elicitation in URL mode; `{}` means forms only."""
    return not lacking("elicitation/create", b'{"mode":"url"}', capabilities)


def url_required(asked: Asked) -> bytes:
    """The raw error object for 2025-11-25."""
    elicitation = {"mode": "url", "elicitationId": asked.id, "url": asked.url, "message": asked.message}
    return j.error_object(URL_REQUIRED, asked.message, {"elicitations": [elicitation]})


def input_required(asked: Asked, state: str) -> bytes:
    """The raw InputRequiredResult for 2026-07-28."""
    params = {"mode": "url", "url": asked.url, "message": asked.message}
    requests = {KEY: {"method": "elicitation/create", "params": params}}
    return j.encode({"resultType": "input_required", "inputRequests": requests, "requestState": state})


def action_of(responses: bytes) -> str:
    """What the client answered to our question; "" for nothing."""
    members = (j.decode_members(responses) if responses else None) or {}
    return action_in(bytes(members[KEY])) if KEY in members else ""


def action_in(result: bytes) -> str:
    """Of a raw ElicitResult; "" for none."""
    answer = j.decode_any(result) if result else None
    action = answer.get("action") if isinstance(answer, dict) else None
    return action if isinstance(action, str) else ""


def linked(asked: Asked) -> str:
    return f"{asked.message} Ask the user to open {asked.url} in a browser, and call again afterwards."


def tool_result(text: str, *, is_modern: bool, is_error: bool = True) -> bytes:
    body: dict[str, Any] = {"content": [{"type": "text", "text": text}]}
    if is_error:
        body["isError"] = True
    return j.encode({"resultType": "complete", **body} if is_modern else body)


def tools(greeting: Greeting, *, is_modern: bool) -> bytes:
    listed = greeting.tools if greeting.tools is not None else j.encode([_CONNECT])
    body: dict[str, Any] = {"tools": msgspec.Raw(listed)}
    if is_modern:
        body |= {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
    return j.encode(body)


def initialized(greeting: Greeting, revision: str, label: str) -> bytes:
    """The raw InitializeResult in the server's place."""
    info, instructions = _info(greeting, label)
    body: dict[str, Any] = {
        "protocolVersion": revision if revision in LEGACY else LEGACY[0],
        "capabilities": {"tools": {"listChanged": True}},
        "serverInfo": info,
    }
    return j.encode(body | instructions)


def discovered(greeting: Greeting, label: str) -> bytes:
    """The raw DiscoverResult in the server's place."""
    info, instructions = _info(greeting, label)
    body: dict[str, Any] = {
        "resultType": "complete",
        "supportedVersions": list(MODERN),
        "capabilities": {"tools": {}},
        "ttlMs": 0,
        "cacheScope": "private",
        "_meta": {_SERVER_INFO: info},
    }
    return j.encode(body | instructions)


def _info(greeting: Greeting, label: str) -> tuple[dict[str, Any], dict[str, Any]]:
    known = dict(greeting.server_info)
    instructions = known.pop("instructions", None)
    info = {"name": label, "version": "unknown", **known}
    return info, {"instructions": instructions} if isinstance(instructions, str) else {}
