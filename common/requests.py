"""Which request is being answered, as the log names it."""

from __future__ import annotations

import structlog


def request_id() -> str:
    """What each line of the log has as `request_id` (django-structlog binds it); "" outside of a request."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
