"""Addresses and framing of the stream: the one module that knows how bytes travel between site and runner.

An address is `unix:/path/to/socket` (one machine: the folder's mode is the permission) or `tls:host:port` (between
hosts: TLS 1.3 with certificates on both sides, RFC 8446 section 4.4.2). Frames are gathered and written once per turn
of the event loop, since one write per frame is what a busy stream would otherwise spend its time on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec

from hosting.runner.frames import MAX_INBOUND_FRAME_BYTES

BACKLOG = 256  # who connects while a runner restarts in place waits there
_LENGTH = struct.Struct(">I")


class FrameSink(Protocol):
    """Who a connection reports to."""

    def frame_received(self, connection: FrameConnection, frame: Any) -> None: ...
    def connection_ready(self, connection: FrameConnection) -> None: ...
    def connection_writable(self, connection: FrameConnection) -> None: ...
    def connection_lost(self, connection: FrameConnection, reason: str) -> None: ...


class FrameConnection(asyncio.Protocol):
    """One end of a stream: length-prefixed msgpack frames in, gathered frames out."""

    __slots__ = ("_buffer", "_decoder", "_encoder", "_loop", "_out", "_scheduled", "_sink", "_transport", "writable")

    def __init__(self, sink: FrameSink, decoder: msgspec.msgpack.Decoder[Any]) -> None:
        self._sink = sink
        self._decoder = decoder
        self._encoder = msgspec.msgpack.Encoder()
        self._buffer = bytearray()
        self._out: list[bytes] = []
        self._scheduled = False
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self.writable = True

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=1024 * 1024)
        self._sink.connection_ready(self)

    def data_received(self, data: bytes) -> None:
        buffer: bytes | bytearray = data
        if self._buffer:
            self._buffer += data
            buffer = self._buffer
        start, end = 0, len(buffer)
        try:
            with memoryview(buffer) as view:
                while end - start >= 4:
                    (length,) = _LENGTH.unpack_from(view, start)
                    if length > MAX_INBOUND_FRAME_BYTES:
                        raise msgspec.DecodeError(f"a frame of {length} bytes is longer than allowed")
                    if end - start - 4 < length:
                        break
                    frame = self._decoder.decode(view[start + 4 : start + 4 + length])
                    start += 4 + length
                    self._sink.frame_received(self, frame)
        except msgspec.DecodeError as error:
            self.close(f"bad frame: {error}")
            return
        if buffer is self._buffer:
            del self._buffer[:start]
        elif start < end:
            self._buffer += data[start:]

    def send(self, frame: Any) -> None:
        if self._transport is None:
            return
        body = self._encoder.encode(frame)
        self._out.append(_LENGTH.pack(len(body)))
        self._out.append(body)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        out, self._out = self._out, []
        if self._transport is not None and out:
            self._transport.write(b"".join(out))

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True
        self._sink.connection_writable(self)

    def close(self, reason: str = "") -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            out, self._out = self._out, []
            if out:
                transport.write(b"".join(out))
            transport.close()
            self._sink.connection_lost(self, reason)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._transport = None
            self._sink.connection_lost(self, str(exc or "closed by the other side"))


@dataclass(frozen=True)
class Identity:
    """Certificate files of one end of a `tls:` stream; both ends trust only `authority`."""

    certificate: Path
    key: Path
    authority: Path

    def context(self, *, is_server: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.certificate, self.key)
        context.load_verify_locations(self.authority)
        context.verify_mode = ssl.CERT_REQUIRED
        return context


def _split(address: str) -> tuple[str, str, int]:
    scheme, _, rest = address.partition(":")
    if scheme == "unix" and rest.startswith("/"):
        return scheme, rest, 0
    host, colon, port = rest.rpartition(":")
    if scheme == "tls" and colon and host and port.isdecimal():
        return scheme, host.strip("[]"), int(port)
    raise ValueError(f"{address!r} is no runner address: expected unix:/path or tls:host:port")


async def listen(
    address: str, connect: Callable[[], FrameConnection], identity: Identity | None = None
) -> asyncio.Server:
    """Accept streams at `address`. A Unix socket is made with mode 600 and replaces a stale one."""
    loop = asyncio.get_running_loop()
    scheme, host, port = _split(address)
    if scheme == "unix":
        with contextlib.suppress(FileNotFoundError):
            os.unlink(host)
        mask = os.umask(0o177)
        try:
            return await loop.create_unix_server(connect, host, backlog=BACKLOG)
        finally:
            os.umask(mask)
    if identity is None:
        raise ValueError("a tls: address needs a certificate, a key and the authority's certificate")
    return await loop.create_server(connect, host, port, ssl=identity.context(is_server=True), backlog=BACKLOG)


async def listen_on(
    descriptor: int, connect: Callable[[], FrameConnection], identity: Identity | None = None
) -> asyncio.Server:
    """Accept streams at a socket that listens already."""
    loop = asyncio.get_running_loop()
    taken = socket.socket(fileno=descriptor)
    if taken.family == socket.AF_UNIX:
        return await loop.create_unix_server(connect, sock=taken, backlog=BACKLOG)
    context = identity.context(is_server=True) if identity is not None else None
    return await loop.create_server(connect, sock=taken, ssl=context, backlog=BACKLOG)


async def dial(
    address: str, connect: Callable[[], FrameConnection], identity: Identity | None = None
) -> FrameConnection:
    """Open a stream to `address`; raises OSError when nobody listens there."""
    loop = asyncio.get_running_loop()
    scheme, host, port = _split(address)
    if scheme == "unix":
        _, connection = await loop.create_unix_connection(connect, host)
        return connection
    if identity is None:
        raise ValueError("a tls: address needs a certificate, a key and the authority's certificate")
    _, connection = await loop.create_connection(connect, host, port, ssl=identity.context(is_server=False))
    return connection
