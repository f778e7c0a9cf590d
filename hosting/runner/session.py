"""A legacy client's session at the runner: whose it is, which instance it is bound to, and its channel log."""

from __future__ import annotations

import time

from hosting.runner.log import Log

CHANNEL_EVENTS = 1000


class Session:
    """Bound to one instance for its life; the channel log carries what belongs to no call (the client's GET stream)."""

    __slots__ = (
        "capabilities", "channel", "client", "deployment", "exchanges", "id", "initialized", "instance", "log_level",
        "owner", "revision", "subject", "subscriptions", "used_at",
    )  # fmt: skip

    def __init__(
        self,
        id: str,  # noqa: A002 - the field's own name
        *,
        owner: str,
        deployment: str,
        revision: str,
        capabilities: bytes,
        client: bytes,
        channel: Log,
        subject: str = "",
    ) -> None:
        self.id = id
        self.owner = owner
        self.subject = subject  # the user, whose data folder it would be
        self.deployment = deployment
        self.revision = revision
        self.capabilities = capabilities or b"{}"
        self.client = client
        self.channel = channel
        self.instance = ""
        self.initialized = False
        self.log_level = ""
        self.subscriptions: set[str] = set()
        self.exchanges: set[str] = set()
        self.used_at = time.monotonic()

    def touch(self) -> None:
        self.used_at = time.monotonic()

    @property
    def is_busy(self) -> bool:
        """A running call, an attached stream or an open question counts as use."""
        return bool(self.exchanges) or bool(self.channel.followers)
