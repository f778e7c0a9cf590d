"""Questions that a call's client can't show: put to its user on the site, where the call has become a task. Pure.

The child is told that it may ask, and the question is an event like any other, under a key that says who is to show it.
Whoever delivers the call to its client passes such a question by and makes a task of the call instead.
Source: client/elicitation, "Capabilities", of 2025-11-25 and 2026-07-28.
"""

from __future__ import annotations

import msgspec

from hosting.runner.upstream import messages as m

_PREFIX = "site-"
_MODES = (b"form", b"url")
_BATCHED = "2025-03-26"  # whose calls may come in a batch, where none can become a task
CALL = "tools/call"


def key_of(number: str, *, on_site: bool) -> str:
    return f"{_PREFIX}{number}" if on_site else number


def is_on_site(key: str) -> bool:
    """Whether its client is not to be asked this question."""
    return key.startswith(_PREFIX)


def may_ask(revision: str, subject: str) -> bool:
    """Whether there is somebody who signs in here, and a call that can become a task."""
    return bool(subject) and revision != _BATCHED


def told(capabilities: bytes) -> bytes:
    """A client's raw capabilities with both modes of elicitation.

    One that offers sampling and no elicitation has decided against it, and is taken at its word.
    """
    try:
        members = m.decode_members(capabilities or b"{}")
        declared = m.decode_members(members["elicitation"]) if "elicitation" in members else None
    except (msgspec.DecodeError, RecursionError):
        return capabilities
    if declared is None and "sampling" in members:
        return capabilities
    # "an empty capabilities object is equivalent to declaring support for form mode only"
    modes = {**{mode.decode(): msgspec.Raw(b"{}") for mode in _MODES}, **(declared or {})}
    members["elicitation"] = msgspec.Raw(m.encode(modes))
    return m.encode(members)
