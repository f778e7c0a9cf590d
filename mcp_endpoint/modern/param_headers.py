"""`Mcp-Param-*`: whether what a client mirrored in headers agrees with its call's arguments. Pure.

2026-07-28 basic/transports/streamable-http, "Server Validation". A tool whose annotations break the rules of "Schema
Extension" is one that clients drop, so for it no header means anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hosting.runner.mirrored import KEYWORD, Param, is_mirrored, params_of, value_at
from mcp_endpoint.wire import headers as h

__all__ = ["KEYWORD", "Param", "mismatch", "params_of"]

_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?\Z")


def mismatch(params: tuple[Param, ...], fields: Mapping[bytes, bytes], arguments: Any) -> str:
    """What is wrong, "" when headers and arguments agree. `null` counts as absent."""
    for param in params:
        problem = _problem(fields.get(param.header), value_at(arguments, param.path))
        if problem:
            return f"the {param.shown} header {problem} the argument {'.'.join(param.path)}"
    return ""


def _problem(header: bytes | None, value: Any) -> str:
    if header is None:
        return "is missing beside" if is_mirrored(value) else ""
    if not is_mirrored(value):  # whoever routes by the header would act on a value that the call does not have
        return "does not match"
    found = h.decode_value(h.text(header))
    if found is None:
        return "is malformed beside"
    if isinstance(value, bool):
        is_same = found == ("true" if value else "false")
    elif isinstance(value, str):
        is_same = found == value
    else:  # "Server Validation": numbers are compared as numbers
        is_same = _NUMBER.match(found) is not None and Decimal(found) == Decimal(value)
    return "" if is_same else "does not match"
