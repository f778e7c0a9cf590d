"""The first word of a server-to-be, and the last ones of a sandbox that could not be built."""

from __future__ import annotations

import asyncio
import os
import socket
import struct


async def first_word(ours: socket.socket) -> int:
    """The pid of who wrote first, as this process knows it; 0 at the end of file. unix(7), SCM_CREDENTIALS."""
    loop = asyncio.get_running_loop()
    word: asyncio.Future[int] = loop.create_future()

    def readable() -> None:
        if word.done():
            return
        try:
            data, ancillary, _, _ = ours.recvmsg(16, socket.CMSG_SPACE(12))
        except BlockingIOError:
            return
        except OSError as error:
            word.set_exception(error)
            return
        found = 0
        for level, kind, content in ancillary if data else []:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                found = struct.unpack("3i", content[:12])[0]
        word.set_result(found)

    loop.add_reader(ours.fileno(), readable)
    try:
        return await word
    finally:
        loop.remove_reader(ours.fileno())


def last_words(stderr: int) -> str:
    try:
        text = os.read(stderr, 4096).decode("utf-8", "replace").strip()
    except OSError:
        text = ""
    return text.splitlines()[-1].removeprefix("bwrap: ") if text else "it ended without a word"
