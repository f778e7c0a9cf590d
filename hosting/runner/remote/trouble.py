"""What goes wrong with a server that runs elsewhere, in words for whoever called it. Each text begins with its host."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from enum import Enum

import httpcore

from hosting.runner.seen import SignInAsked


class Cause(Enum):
    UNREACHABLE = "unreachable"  # nothing was sent: no address, no connection, no trusted certificate
    BROKEN = "broken"  # the connection went, or time ran out, after the request was sent
    STATUS = "status"  # an HTTP status that is no answer
    SIGN_IN = "sign-in"
    SESSION = "session"  # the remote does not know our session any more
    CONTENT = "content"  # an answer that is none, or that is too large


class TroubleError(Exception):
    """One request could not be done."""

    def __init__(self, cause: Cause, words: str, status: int = 0, *, sign_in: SignInAsked | None = None) -> None:
        """`sign_in` comes with the cause SIGN_IN."""
        super().__init__(words)
        self.sign_in = sign_in
        self.cause = cause
        self.words = words
        self.status = status


class AddressRefusedError(Exception):
    """The host leads to where this site does not connect to; the message says so, beginning with the host."""


def unreachable(host: str, error: BaseException) -> TroubleError:
    """For what came up before the request was sent."""
    return TroubleError(Cause.UNREACHABLE, _connecting(host, error))


def broken(host: str, error: BaseException, seconds: float | None) -> TroubleError:
    """For what came up after the request may have reached the remote. It is never sent again on its own."""
    if isinstance(error, httpcore.TimeoutException | TimeoutError) and seconds:
        return TroubleError(Cause.BROKEN, f"{host} did not answer within {seconds:g} s")
    return TroubleError(Cause.BROKEN, f"{host} broke the connection off before it had answered")


def _connecting(host: str, error: BaseException) -> str:
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, AddressRefusedError):
            return str(one)
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"{host} has no certificate that is trusted here: {one.verify_message}"
        if isinstance(one, ssl.SSLError):
            return f"{host} could not agree on a secure connection: {one.reason or one}"
        if isinstance(one, socket.gaierror):
            return f"{host} could not be found: {one.strerror or 'its name is not known'}"
        if isinstance(one, ConnectionRefusedError):
            return f"{host} refused the connection"
        if isinstance(one, OSError) and one.errno:
            return f"{host} could not be reached: {_plain(one.errno)}"
    if isinstance(error, httpcore.TimeoutException | TimeoutError):
        return f"{host} did not take the connection in time"
    return f"{host} could not be reached"


def _plain(number: int) -> str:
    return "it closed the connection" if number in (errno.ECONNRESET, errno.EPIPE) else os.strerror(number).lower()


def _chain(error: BaseException | None) -> list[BaseException]:
    """An error and what caused it, the innermost of a group first met."""
    found: list[BaseException] = []
    todo = [error]
    while todo and len(found) < 20:
        one = todo.pop(0)
        if one is None or one in found:
            continue
        found.append(one)
        todo += [*getattr(one, "exceptions", ()), one.__cause__, one.__context__]
    return found
