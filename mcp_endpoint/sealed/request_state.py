"""`requestState`: what a modern client brings back with its answers, sealed. Pure.

Bound to the principal, the deployment, the method and a digest of the parameters, and short-lived (2026-07-28
basic/patterns/mrtr, "Server Requirements"). It holds the hosted server's own state, or the place of a parked call.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from mcp_endpoint.admission.limits import STATE_BYTES
from mcp_endpoint.sealed.sealing import BrokenSealError, Sealer
from mcp_endpoint.wire import jsonrpc as j

NATIVE_SECONDS: Final = 3600.0
PARKED_SECONDS: Final = 300.0


class Native(msgspec.Struct, frozen=True, array_like=True, tag="n"):
    """A modern server's question: its own state, or "" when it gave none. Nothing is kept for it here."""

    expires_at: float
    state: str


class Parked(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    """A legacy server's question: the call waits at a runner.

    The log is read again from after `after`, where the first open question stands; what is no question and not newer
    than `seen` has been shown already.
    """

    expires_at: float
    exchange: str
    runner: str
    after: int
    seen: int


class Wanted(msgspec.Struct, frozen=True, array_like=True, tag="w"):
    """The site's own question for a user's credentials: the page where it is answered. Nothing waits for it."""

    expires_at: float
    page: str


State = Native | Parked | Wanted
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(State).decode


class States:
    """Seals and opens request states."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(key, "request-state")

    def seal(self, state: State, bound_to: bytes) -> str:
        return self._sealer.seal(_encode(state), bound_to)

    def open(self, token: str, bound_to: bytes, now: float) -> State:
        """Raises BrokenSealError, also when the state is too old."""
        if len(token) > STATE_BYTES:
            raise BrokenSealError
        try:
            state: State = _decode(self._sealer.open(token, bound_to))
        except msgspec.DecodeError:
            raise BrokenSealError from None
        if state.expires_at < now:
            raise BrokenSealError
        return state


def binding(owner: str, method: str, params: bytes) -> bytes:
    """What a state is bound to. `owner` names user, client and deployment; `params` lack state and answers.

    `_meta` is left out: trace ids and the like differ from one attempt to the next.
    """
    members = (j.decode_members(params) if params else None) or {}
    members.pop("_meta", None)
    digest = hashlib.sha256(j.canonical(j.encode(members))).hexdigest()
    return f"{owner}\n{method}\n{digest}".encode()
