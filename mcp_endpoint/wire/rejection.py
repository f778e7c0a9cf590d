"""What a request that can't be served is answered with, and the checks every JSON-RPC message has to pass. Pure."""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec

from mcp_endpoint.wire import jsonrpc as j


class Rejection(msgspec.Struct, gc=False):
    """The request can't be served: a JSON-RPC error and the HTTP status that goes with it."""

    status: int
    code: int
    message: str
    id: bytes = b""
    data: Any = None
    headers: tuple[tuple[bytes, bytes], ...] = ()


class RefusedError(Exception):
    """Carries a Rejection up to the classifier."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.message)
        self.rejection = rejection


def refuse(code: int, message: str, request_id: bytes = b"", *, status: int = 400, data: Any = None) -> NoReturn:
    raise RefusedError(Rejection(status, code, message, request_id, data))


def checked(envelope: j.Envelope) -> tuple[bytes, bytes]:
    """The id (b"" for none) and the raw params (b"" for none) of any message. Raises RefusedError."""
    request_id = bytes(envelope.id)
    if request_id:
        found = j.identifier(request_id)
        if found is None:
            refuse(j.INVALID_REQUEST, "The id must be a string or an integer")
        request_id = found
    if envelope.jsonrpc != "2.0":
        refuse(j.INVALID_REQUEST, 'The member "jsonrpc" must be "2.0"', request_id)
    params = bytes(envelope.params)
    if not params or params == b"null":
        return request_id, b""
    if params[:1] != b"{":
        refuse(j.INVALID_PARAMS, "params must be an object", request_id)
    return request_id, params
