"""A browser's side of a websocket, in process. (channels.testing can't be imported without daphne.)"""

from __future__ import annotations

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator

SECONDS = 60.0  # of a machine that many others use


class Socket:
    """One websocket to an ASGI application."""

    def __init__(self, application: Any, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": b"",
            "headers": headers,
            "subprotocols": [],
        }
        inside: Any = ApplicationCommunicator  # has no types
        self._inside = inside(application, scope)

    async def connect(self) -> bool:
        """False when the handshake was refused."""
        await self._inside.send_input({"type": "websocket.connect"})
        answer = await self._inside.receive_output(timeout=SECONDS)
        return bool(answer["type"] == "websocket.accept")

    async def send(self, text: str) -> None:
        await self._inside.send_input({"type": "websocket.receive", "text": text})

    async def receive(self, seconds: float = SECONDS) -> dict[str, Any]:
        """The next message. Raises ConnectionError with the code when the site closes instead."""
        message = await self._inside.receive_output(timeout=seconds)
        if message["type"] == "websocket.close":
            raise ConnectionError(message["code"])
        value: dict[str, Any] = json.loads(message["text"])
        return value

    async def is_silent(self, seconds: float) -> bool:
        return bool(await self._inside.receive_nothing(timeout=seconds))

    async def close(self) -> None:
        await self._inside.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._inside.wait(timeout=SECONDS)
