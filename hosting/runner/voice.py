"""What an instance tells people: what it prints, its conversation, its last words; and who may read that."""

from __future__ import annotations

from hosting.runner import tracing
from hosting.runner.feed import ANONYMOUS, OWNER, Feed
from hosting.runner.frames import Open
from hosting.runner.placement import Placement
from hosting.runner.seen import InstanceSeen
from hosting.runner.upstream.messages import Message


class Voice:
    """Everything goes to the deployment's feed, which masks and bounds it.

    `who`: the user whose own instance it is, "" where it is shared or nobody's: what it prints is that user's.
    `is_open`: whether its owner may read bodies. Callers without an account have consented to nothing: theirs are none.
    """

    def __init__(
        self, feed: Feed, instance: str, placement: Placement, key: str, opened: Open, is_shared: bool
    ) -> None:
        is_nobodys = key.startswith("nobody:")
        self._feed = feed
        self._instance = instance
        self._folders = placement.read_only
        self.who = "" if is_shared or is_nobodys or opened.owner == OWNER else opened.owner.partition(" ")[0]
        self.is_open = placement.trace_bodies and not is_nobodys and not opened.owner.startswith(ANONYMOUS)

    def printed(self, line: bytes) -> None:
        self._feed.output(self._instance, line.rstrip(b"\r"), who=self.who, is_open=self.is_open)

    def note(self, text: str) -> None:
        self._feed.output(self._instance, text.encode(), "protocol", who=self.who, is_open=self.is_open)

    def sent(self, line: bytes) -> None:
        if self._feed.takes_trace:
            self._trace(tracing.sent(line, with_body=self.is_open))

    def received(self, message: Message) -> None:
        if self._feed.takes_trace:
            self._trace(tracing.received(message, with_body=self.is_open))

    def seen(self, state: InstanceSeen) -> None:
        self._feed.seen(state)

    def masked(self, text: str) -> str:
        return self._feed.masked(text)

    def last_words(self) -> str:
        """Without the folders of this machine that the server lies in."""
        words = self._feed.last_words(self._instance)
        for path in self._folders:
            words = words.replace(f"{path}/", "")
        return words

    def _trace(self, line: bytes) -> None:
        self._feed.trace(self._instance, line, who=self.who, is_open=self.is_open)
