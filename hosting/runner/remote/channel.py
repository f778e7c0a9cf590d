"""The stream that a legacy remote may speak on without being asked: GET, taken up again whenever it ends.

Source: 2025-11-25 basic/transports, "Listening for Messages from the Server".
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from hosting.runner.remote.events import EventReader, TooLargeError
from hosting.runner.remote.http import ERROR_BYTES, STREAM, Answer
from hosting.runner.remote.trouble import Cause, TroubleError
from hosting.runner.remote.wire import FIRST_PAUSE_SECONDS, Wire, next_pause


class Channel:
    """`run` returns when the remote offers no such stream."""

    def __init__(self, wire: Wire, last_id: bytes = b"") -> None:
        self.answered = asyncio.Event()  # it is open, or not to be had
        self._wire = wire
        self._reader = EventReader(wire.limit)
        self._reader.last_id = last_id

    @property
    def last_event_id(self) -> bytes:
        return self._reader.last_id

    async def run(self) -> None:
        """Raises TroubleError when the session is gone."""
        reader, pause = self._reader, FIRST_PAUSE_SECONDS
        while True:
            said = False
            try:
                fields = self._wire.fields(STREAM, has_body=False)
                if reader.last_id:
                    fields["last-event-id"] = reader.last_id
                async with self._wire.http.ask("GET", fields, seconds=None) as answer:
                    self.answered.set()
                    if not answer.is_stream and not await self._is_worth_another(answer):
                        return
                    if answer.is_stream:
                        said = await self._follow(answer)
            except TroubleError as trouble:
                if trouble.cause not in (Cause.UNREACHABLE, Cause.BROKEN):
                    raise
            pause = FIRST_PAUSE_SECONDS if said else next_pause(pause)
            await asyncio.sleep(pause if reader.retry_seconds is None else max(reader.retry_seconds, 0.05))

    async def _is_worth_another(self, answer: Answer) -> bool:
        """405: not offered (the usual refusal). An error of the remote's own passes; another refusal is final."""
        if answer.status == HTTPStatus.NOT_FOUND and self._wire.session:
            raise self._wire.session_lost()
        if answer.status >= 500 and answer.status != HTTPStatus.NOT_IMPLEMENTED:
            return True
        if answer.status != HTTPStatus.METHOD_NOT_ALLOWED:
            self._wire.note(f"no stream of its own: {answer.trouble(await answer.read(ERROR_BYTES)).words}")
        return False

    async def _follow(self, answer: Answer) -> bool:
        """Whether it said anything."""
        wire, reader, said = self._wire, self._reader, False
        reader.restart()
        try:
            while chunk := await answer.chunk():
                for event in reader.feed(chunk):
                    for message in wire.messages(event):
                        said = True
                        wire.take(message, 0)
        except TooLargeError:
            wire.note(f"a message over the limit of {wire.limit // 2**20} MB was thrown away")
        return said
