"""One request at an endpoint as it is remembered until it is written down. Knows nothing of Django."""

from __future__ import annotations

from typing import Final

import msgspec

OK: Final = "ok"
TOOL_ERROR: Final = "tool_error"
ERROR: Final = "error"
REFUSED: Final = "refused"
CANCELLED: Final = "cancelled"
LEFT: Final = "left"  # a legacy client went away before the outcome; the call runs on, and its client may fetch it


class CallRow(msgspec.Struct, gc=False):
    """Who called what, when, how long, how large, and how it ended. `at` is in seconds since the epoch."""

    deployment_id: str
    version_id: str  # "" while nothing is built
    at: float
    microseconds: int
    method: str
    tool: str  # tool or prompt by name, resource by URI, "" for what names none
    sub: str  # the user's id; any other text where no user stands behind the call
    client: str
    era: str
    bytes_in: int
    bytes_out: int
    status: str
    was_cold: bool
