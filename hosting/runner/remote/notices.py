"""What is told a remote without an answer of its own: notifications in their order, answers to its own questions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from hosting.runner.remote.http import ERROR_BYTES
from hosting.runner.remote.outgoing import Outgoing
from hosting.runner.remote.trouble import Cause, TroubleError
from hosting.runner.remote.wire import ANY, Wire

OUTPUT_BYTES: Final = 16 * 1024 * 1024  # of notifications that the remote has not taken yet


class Notices:
    """`told` is called after each notification, before the next one goes."""

    def __init__(self, wire: Wire, told: Callable[[str], Awaitable[None]]) -> None:
        self._wire = wire
        self._told = told
        self._waiting: list[tuple[Outgoing, bytes]] = []
        self._bytes = 0
        self._is_busy = False
        self._telling: dict[int, bytes] = {}  # what is on its way and is no request

    @property
    def unsent(self) -> list[bytes]:
        """What the remote may not have got yet."""
        return [*self._telling.values(), *(body for _, body in self._waiting)]

    def add(self, outgoing: Outgoing, body: bytes) -> bool:
        """Put it into the line; True when somebody has to call `send_all`."""
        self._waiting.append((outgoing, body))
        self._bytes += len(body)
        if self._bytes > OUTPUT_BYTES:
            self._wire.end(f"{self._wire.host} does not take its messages: {self._bytes // 2**20} MB wait for it")
            return False
        was_busy, self._is_busy = self._is_busy, True
        return not was_busy

    async def send_all(self) -> None:
        """Raises TroubleError when the session is gone."""
        try:
            while self._waiting:
                outgoing, body = self._waiting.pop(0)
                self._bytes -= len(body)
                await self.tell(outgoing, body)
                await self._told(outgoing.method)
        finally:
            self._is_busy = False

    async def tell(self, outgoing: Outgoing, body: bytes) -> None:
        """Post a message whose answer, if any, comes on another stream.

        Raises TroubleError for a request, or when the session is gone; else a refusal is only noted.
        """
        wire = self._wire
        if not outgoing.number:
            self._telling[id(outgoing)] = body
        try:
            fields = wire.fields(ANY)
            async with wire.http.ask("POST", fields, body, url=wire.post_url, seconds=wire.seconds) as answer:
                if answer.is_success:
                    return
                if answer.status == 404 and wire.session:
                    raise wire.session_lost()
                raise answer.trouble(await answer.read(ERROR_BYTES))
        except TroubleError as trouble:
            if outgoing.number or trouble.cause is Cause.SESSION:
                raise
            wire.note(f"{outgoing.method or 'an answer'} was not taken: {trouble.words}")
        finally:
            self._telling.pop(id(outgoing), None)
