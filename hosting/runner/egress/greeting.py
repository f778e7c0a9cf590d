"""The first octets of a TLS connection: who it is for (RFC 8446 4.1.2, RFC 6066 3). Pure."""

from __future__ import annotations

import struct

MAX_OCTETS = 32 * 1024  # a greeting with keys against quantum computers is some 2 KB
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0


class NotTLS(ValueError):  # noqa: N818 - the outcome of a parse
    """Something else than a TLS client speaks."""


def server_name(data: bytes) -> str | None:
    """The name that a client asks for, empty when it names none; None while more octets are needed. Raises NotTLS."""
    message = b""
    place = 0
    while True:
        head = data[place : place + 5]
        if head[:1] not in (b"", b"\x16") or head[1:2] not in (b"", b"\x03"):
            raise NotTLS("it does not begin with a TLS handshake")
        if len(head) < 5:
            return None
        size = int.from_bytes(head[3:5], "big")
        part = data[place + 5 : place + 5 + size]
        message += part
        place += 5 + size
        if message[:1] not in (b"", b"\x01") or not size:
            raise NotTLS("it does not begin with a TLS greeting")
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
            break
        if len(part) < size:
            return None
        if place > MAX_OCTETS:
            raise NotTLS("its greeting has no end")
    try:
        return _name(message[4 : 4 + int.from_bytes(message[1:4], "big")])
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise NotTLS("its greeting can't be read") from error


def _name(hello: bytes) -> str:
    place = 2 + 32  # version, random
    place += 1 + hello[place]  # session id
    place += 2 + _number(hello, place)  # cipher suites
    place += 1 + hello[place]  # compression
    if place >= len(hello):
        return ""
    end = place + 2 + _number(hello, place)
    place += 2
    while place + 4 <= min(end, len(hello)):
        kind, size = struct.unpack_from("!2H", hello, place)
        if kind == _SERVER_NAME:
            if hello[place + 6] != _HOST_NAME:
                raise IndexError
            length = _number(hello, place + 7)
            return hello[place + 9 : place + 9 + length].decode("ascii").lower().removesuffix(".")
        place += 4 + size
    return ""


def _number(data: bytes, place: int) -> int:
    (number,) = struct.unpack_from("!H", data, place)
    return int(number)
