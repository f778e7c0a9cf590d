"""Writes of a response's head and body put together.

uvicorn writes a response's head when the app starts it and the body when the app sends it: two system calls and two
packets, of which the first wakes a client that can't do anything with it yet. Here the head waits for the body, which
most apps send at once; it waits no longer than the current turn of the event loop, so that a stream begins in time.
"""

from __future__ import annotations

import asyncio
from typing import Any

_HEAD = b"HTTP/1.1 "


class JoinedWrites:
    """A transport that holds a response's head back until its body follows. All else goes straight through."""

    __slots__ = ("_held", "_inner", "_loop", "_write", "is_closing")

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._inner = inner
        self._loop = loop
        self._write = inner.write
        self._held = b""
        self.is_closing = inner.is_closing

    def write(self, data: bytes) -> None:
        held = self._held
        if held:
            self._held = b""
            self._write(held + data)
        elif data.startswith(_HEAD):
            self._held = data
            self._loop.call_soon(self._flush)
        else:
            self._write(data)

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held:
            self._write(held)

    def close(self) -> None:
        self._flush()
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
