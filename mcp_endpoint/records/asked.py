"""What a classified POST asks for, as far as its counting, its metrics and its scopes go. Pure."""

from __future__ import annotations

from mcp_endpoint.admission.auth import Challenge, Principal, missing_scope
from mcp_endpoint.legacy.messages import Call, LegacyPost
from mcp_endpoint.modern.calls import LISTEN
from mcp_endpoint.modern.messages import ModernCall
from mcp_endpoint.records import metrics
from mcp_endpoint.wire.inbound import Inbound


def id_of(inbound: Inbound) -> bytes:
    if isinstance(inbound, ModernCall):
        return inbound.id
    if isinstance(inbound, LegacyPost) and not inbound.is_batch and isinstance(inbound.messages[0], Call):
        return inbound.messages[0].id
    return b""


def series_of(inbound: Inbound) -> metrics.Series:
    if isinstance(inbound, ModernCall):
        return metrics.OF_MODERN.get(inbound.method) or metrics.OF_MODERN[""]
    if not isinstance(inbound, LegacyPost):
        return metrics.NOTE
    if inbound.is_batch:
        return metrics.BATCH
    message = inbound.messages[0]
    if not isinstance(message, Call):
        return metrics.NOTE
    return metrics.OF_LEGACY.get(message.method) or metrics.OF_LEGACY[""]


def calls_in(inbound: Inbound) -> int:
    """How many requests that come to an end by themselves."""
    if isinstance(inbound, ModernCall):
        return inbound.method != LISTEN
    if isinstance(inbound, LegacyPost):
        return sum([isinstance(message, Call) for message in inbound.messages])
    return 0


def lacking_of(principal: Principal, inbound: Inbound) -> Challenge | None:
    """The challenge for the first scope that is needed and not there."""
    methods = [""]
    if isinstance(inbound, ModernCall):
        methods = [inbound.method]
    elif isinstance(inbound, LegacyPost):
        methods = [message.method if isinstance(message, Call) else "" for message in inbound.messages]
    return next((lacking for method in methods if (lacking := missing_scope(principal, method)) is not None), None)
