"""Progress notifications: the client's token put back, and the start of an instance told as progress. Pure."""

from __future__ import annotations

from mcp_endpoint.wire import jsonrpc as j

METHOD = "notifications/progress"


def progress(token: bytes, params: bytes) -> bytes:
    """`params` of a progress notification came without its token."""
    return j.notification(METHOD, j.with_first(params, b'"progressToken":%b' % token))


class StatusSteps:
    """How a start goes, as progress that grows and still lies below whatever the tool itself will report.

    Progress must increase with each notification (basic/utilities/progress), and tools begin at 0 as a rule.
    """

    def __init__(self) -> None:
        self._steps = 0

    def message(self, token: bytes, status: bytes) -> bytes:
        """`status` is the raw object of a STATUS event."""
        self._steps += 1
        reason = j.text_of((j.decode_members(status) or {}).get("reason")) or "starting"
        value = -1 / (self._steps + 1)
        return j.notification(METHOD, b'{"progressToken":%b,"progress":%b,"message":%b}' % (
            token, j.encode(value), j.encode(reason)
        ))  # fmt: skip
