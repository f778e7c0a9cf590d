"""Saying that tools may run as tasks: in what a hosted server answers to initialize, server/discover and tools/list.

Pure. A server that has tasks of its own says more than we would; its own words stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from mcp_endpoint.tasks.wire import EXTENSION
from mcp_endpoint.wire import jsonrpc as j

_decode_tools = msgspec.json.Decoder(list[j.Members]).decode
_TASKS: Final[dict[str, Any]] = {"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}}


def in_initialize(result: bytes, *, has_list: bool) -> bytes:
    """2025-11-25 basic/utilities/tasks, "Server Capabilities"; only a server with tools has what can be a task."""
    members = j.decode_members(result)
    capabilities = j.decode_members(members["capabilities"]) if members and "capabilities" in members else None
    if members is None or capabilities is None or "tools" not in capabilities:
        return result
    own = (j.decode_any(capabilities["tasks"]) if "tasks" in capabilities else None) or {}
    ours = {name: value for name, value in _TASKS.items() if has_list or name != "list"}
    capabilities["tasks"] = msgspec.Raw(j.encode({**own, **ours}))
    members["capabilities"] = msgspec.Raw(j.encode(capabilities))
    return j.encode(members)


def in_discover(result: bytes) -> bytes:
    """SEP-2663, "Capability Negotiation"."""
    members = j.decode_members(result)
    capabilities = j.decode_members(members["capabilities"]) if members and "capabilities" in members else None
    if members is None or capabilities is None or "tools" not in capabilities:
        return result
    extensions = (j.decode_members(capabilities["extensions"]) if "extensions" in capabilities else None) or {}
    extensions.setdefault(EXTENSION, msgspec.Raw(b"{}"))
    capabilities["extensions"] = msgspec.Raw(j.encode(extensions))
    capabilities.pop("tasks", None)
    members["capabilities"] = msgspec.Raw(j.encode(capabilities))
    return j.encode(members)


def in_tools(result: bytes, supports: Mapping[str, str]) -> bytes:
    """A result of tools/list whose tools say how they run as tasks."""
    members = j.decode_members(result)
    try:
        tools = _decode_tools(members["tools"]) if members and "tools" in members else None
    except msgspec.DecodeError:
        tools = None
    if members is None or tools is None:
        return result
    for tool in tools:
        in_tool(tool, supports)
    members["tools"] = msgspec.Raw(j.encode(tools))
    return j.encode(members)


def in_tool(tool: j.Members, supports: Mapping[str, str]) -> None:
    """`execution.taskSupport` of one tool, in place ("Tool-Level Negotiation")."""
    name = j.text_of(tool.get("name")) or ""
    execution = (j.decode_any(tool["execution"]) if "execution" in tool else None) or {}
    if not isinstance(execution, dict):
        return
    # A tool that its server wants called as a task may be called plainly here: then the runner makes it one.
    support = supports.get(name) or "optional"
    tool["execution"] = msgspec.Raw(j.encode({**execution, "taskSupport": support}))
