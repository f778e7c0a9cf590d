"""Which of its client's capabilities a server's question needs. Pure.

Sources: client/elicitation, client/sampling and client/roots of 2025-11-25 and 2026-07-28, each "Capabilities".
"""

from __future__ import annotations

from typing import Any

import msgspec

from hosting.runner.upstream.messages import Message

MISSING_CAPABILITY = -32021  # 2026-07-28 basic/index, MissingRequiredClientCapability

_OF_METHOD = {"sampling/createMessage": "sampling", "elicitation/create": "elicitation", "roots/list": "roots"}
_ELICITATION = "elicitation/create"
_SEARCHED_BYTES = 64 * 1024


class _Params(msgspec.Struct):
    mode: str = "form"
    tools: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    tool_choice: msgspec.Raw | msgspec.UnsetType = msgspec.field(name="toolChoice", default=msgspec.UNSET)


_decode_params = msgspec.json.Decoder(_Params).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def asks_person(message: Message) -> bool:
    """Whether the child asks for input of a person, in a request of its own or in its answer (2026-07-28
    basic/patterns/mrtr). An answer that is large enough to be anything else is not searched."""
    if message.method is not msgspec.UNSET:
        return message.method == _ELICITATION
    result = message.result
    if result is msgspec.UNSET or len(bytes(result)) > _SEARCHED_BYTES:
        return False
    return b'"input_required"' in bytes(result) and _ELICITATION.encode() in bytes(result)


def lacking(method: str, params: bytes, capabilities: bytes) -> dict[str, Any]:
    """The ClientCapabilities that `method` with the raw `params` needs and the raw `capabilities` lack; {} for none."""
    name = _OF_METHOD.get(method)
    if name is None:
        return {}
    part = _part_of(name, params)
    declared = _declared(capabilities).get(name)
    if declared is None:
        return {name: {part: {}} if part and part != "form" else {}}
    offered = declared if isinstance(declared, dict) else {}
    if part == "form" and not offered:
        return {}  # "an empty capabilities object is equivalent to declaring support for form mode only"
    return {name: {part: {}}} if part and offered.get(part) is None else {}


def _part_of(name: str, params: bytes) -> str:
    """The part of the capability that goes beyond its plain form."""
    try:
        asked = _decode_params(params or b"{}")
    except (msgspec.DecodeError, RecursionError):
        return ""
    if name == "elicitation":
        return asked.mode
    uses_tools = asked.tools is not msgspec.UNSET or asked.tool_choice is not msgspec.UNSET
    return "tools" if name == "sampling" and uses_tools else ""


def _declared(capabilities: bytes) -> dict[str, Any]:
    try:
        return _decode_object(capabilities or b"{}")
    except (msgspec.DecodeError, RecursionError):
        return {}
