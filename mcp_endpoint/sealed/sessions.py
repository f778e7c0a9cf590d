"""`Mcp-Session-Id`: a legacy client's session, sealed and bound to the principal that opened it. Pure.

It says where the session lives; whether it still lives only the runner decides. So every web process can serve every
session, and a stolen id is of no use without its owner's token (2025-11-25 basic/security_best_practices).
"""

from __future__ import annotations

import base64
import hashlib
import secrets

import msgspec

from mcp_endpoint.admission.limits import SESSION_BYTES
from mcp_endpoint.sealed.sealing import BrokenSealError, Sealer


class Session(msgspec.Struct, frozen=True, array_like=True):
    """`id` is the session's name at the runner at `runner` in its boot `boot`."""

    id: str
    runner: str
    boot: str
    deployment: str
    revision: str
    asks_by_url: bool = False  # its client opens pages that it is told of (2025-11-25 elicitation in URL mode)

    @property
    def channel(self) -> str:
        """The log of what belongs to no call."""
        return f"session:{self.id}"


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Session).decode


_CACHE_SIZE = 10_000


class Sessions:
    """Seals and opens session ids for (user, client, resource). What has opened is remembered with its owner."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(key, "session")
        self._known: dict[tuple[str, str], Session] = {}

    @staticmethod
    def new_id() -> str:
        return secrets.token_urlsafe(16)

    def seal(self, session: Session, owner: str) -> str:
        return self._sealer.seal(_encode(session), owner.encode())

    def open(self, token: str, owner: str) -> Session:
        """Raises BrokenSealError for a foreign id as for a broken one."""
        session = self._known.get((token, owner))
        if session is not None:
            return session
        if len(token) > SESSION_BYTES:
            raise BrokenSealError
        try:
            session = _decode(self._sealer.open(token, owner.encode()))
        except msgspec.DecodeError:
            raise BrokenSealError from None
        if len(self._known) >= _CACHE_SIZE:
            self._known.pop(next(iter(self._known)))
        self._known[token, owner] = session
        return session


def exchange_part(session_id: str, request_id: bytes) -> str:
    """The random part of the exchange's id for a legacy request.

    Derived and not drawn, so that any web process finds the exchange again: to cancel it, to resume its stream, and to
    run it once when it is sent twice. `request_id` is canonical JSON; usual ids stand in it plainly.
    """
    if request_id.isdigit() and len(request_id) < 20:
        return f"{session_id}~{request_id.decode()}"
    digest = hashlib.sha256(session_id.encode() + b"|" + request_id).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode("ascii")
