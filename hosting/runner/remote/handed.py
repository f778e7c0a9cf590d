"""What goes over a restart of the runner in place, of a server that runs elsewhere: connections can't be inherited."""

from __future__ import annotations

import msgspec

from hosting.runner.remote.trouble import Cause, TroubleError


class RemoteState(msgspec.Struct, frozen=True):
    """What another process needs to go on with a legacy session. Stateless remotes need nothing."""

    era: str
    revision: str = ""
    session: bytes = b""
    channel: bytes = b""  # the last event's id on the remote's own stream
    streams: dict[int, bytes] = {}  # the same for each running request; b"": it can't be taken up
    listeners: list[bytes] = []  # requests of a stateless remote that only listen, and may be sent again
    unsent: list[bytes] = []  # notifications, and answers to its questions, that it may not have got
    is_older: bool = False  # its one stream (2024-11-05) ends with us


async def not_again(host: str) -> None:
    """In the place of a request whose stream can't be taken up. Raises TroubleError."""
    raise TroubleError(Cause.BROKEN, f"the runner was restarted while {host} was asked; the request is not sent again")
