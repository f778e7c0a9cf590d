"""What a remote's `tools/list` says of mirrored arguments, and the tools it may not offer over HTTP. Pure.

2026-07-28 basic/transports/streamable-http, "Schema Extension": a client that speaks HTTP has to leave out a tool whose
`x-mcp-header` annotations break the rules, since nobody could call it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from hosting.runner.mirrored import KEYWORD, AnnotationInvalidError, checked_params_of
from hosting.runner.remote.outgoing import Mirrored
from hosting.runner.upstream import messages as m

_MARK: Final = KEYWORD.encode()


class _Tool(msgspec.Struct):
    name: str = ""
    schema: Any = msgspec.field(name="inputSchema", default=None)


class _Page(msgspec.Struct):
    tools: list[msgspec.Raw] = []
    cursor: str = msgspec.field(name="nextCursor", default="")


def is_marked(result: bytes) -> bool:
    """Whether a page says anything about mirrored arguments; most never do, and are not read."""
    return _MARK in result


def next_cursor(result: bytes) -> str:
    return msgspec.json.decode(result, type=_Page).cursor


def learn(result: bytes, mirrored: Mirrored) -> tuple[bytes, list[str]]:
    """The page as it may be passed on, and a sentence for each tool that was left out.

    `mirrored` is brought up to date. Raises msgspec.DecodeError for what is no page of tools.
    """
    kept: list[msgspec.Raw] = []
    left_out: list[str] = []
    for raw in msgspec.json.decode(result, type=_Page).tools:
        if not is_marked(bytes(raw)):
            kept.append(raw)
            if mirrored:
                mirrored.pop(msgspec.json.decode(raw, type=_Tool).name, None)
            continue
        tool = msgspec.json.decode(raw, type=_Tool)
        mirrored.pop(tool.name, None)
        try:
            params = checked_params_of(tool.schema)
        except AnnotationInvalidError as error:
            left_out.append(f"the tool {tool.name[:100]!r} is left out: {error}")
            continue
        kept.append(raw)
        if params:
            mirrored[tool.name] = params
    if not left_out:
        return result, []
    members: dict[str, Any] = dict(m.decode_members(result))
    members["tools"] = kept
    return m.encode(members), left_out
