"""What an instance asks of the adapter for the era its child speaks, and what the adapter may ask back."""

from __future__ import annotations

from typing import Protocol

import msgspec

from hosting.runner.exchange import Exchange
from hosting.runner.judge import Judge
from hosting.runner.session import Session
from hosting.runner.upstream.messages import Message

LEGACY = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
MODERN = ("2026-07-28",)


PLATFORM = b'{"name":"slipway","version":"0.1"}'  # the Implementation told where a client gave none


def is_modern(revision: str) -> bool:
    return revision >= "2026-07-28"


class Peer(Protocol):
    """The instance, as its adapter sees it."""

    id: str
    label: str
    is_shared: bool
    is_remote: bool  # whether it is spoken to over HTTP
    question_seconds: float

    @property
    def judge(self) -> Judge:
        """Says which of the child's questions are put to nobody."""

    def write(self, line: bytes) -> None: ...
    def next_id(self) -> int: ...
    def sessions(self) -> list[Session]: ...
    def settled(self, exchange: Exchange) -> None: ...
    def note(self, text: str) -> None: ...


def session_of(peer: Peer, exchange: Exchange) -> Session | None:
    """That of a handshake client's call."""
    if not exchange.session:
        return None
    return next((session for session in peer.sessions() if session.id == exchange.session), None)


class HandshakeError(Exception):
    """The child answered, but not as a server of this era; the message quotes what it said."""


class WrongEraError(HandshakeError):
    """The child refused the handshake, and may be a modern one that takes no second first request."""


class Client(msgspec.Struct, frozen=True):
    """What a child is told of the client it serves.

    `declared`: what the client itself said, where questions that it can't show are put to its user on the site.
    """

    revision: str
    capabilities: bytes = b"{}"
    info: bytes = PLATFORM
    declared: bytes = b""


class Upstream(Protocol):
    """One era's conversation with one child over its pipes."""

    era: str
    revision: str

    def submit(self, exchange: Exchange) -> None:
        """Send the exchange's request, or answer it from what is known."""

    def answer(self, exchange: Exchange | None, key: str, *, result: bytes, error: bytes) -> bool:
        """Pass an answer on; False when that question is not open any more."""

    def cancel(self, exchange: Exchange, reason: str) -> None:
        """Tell the child; the exchange has ended already."""

    def notify(self, session: Session, method: str, params: bytes) -> None:
        """Pass on a client's notification."""

    def received(self, message: Message, about: int = 0) -> None:
        """Take one message from the child. `about`: the request it belongs to, where the transport says so."""

    def oversized(self, head: bytes, limit: int) -> None:
        """A line longer than `limit` bytes was thrown away; `head` is its beginning."""

    @property
    def has_open_questions(self) -> bool: ...

    def adopted(self) -> None:
        """The runner has restarted in place: this object was written down and read again; its timers are gone."""
