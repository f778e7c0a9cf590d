"""Call records: what every request that reaches a deployment leaves behind for its owner. Never bodies.

A request appends one row to a list; a task writes the list once a second in a thread. While the database is away rows
wait, up to a number; what finds no room is dropped and counted, and no call is the slower for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from common.errors import Unavailable
from hosting.usage import calls
from hosting.usage.calls import CallRow
from mcp_endpoint.legacy.messages import Call, LegacyPost
from mcp_endpoint.modern.messages import NAMED, ModernCall
from mcp_endpoint.records.metrics import LIVE, MODERN

if TYPE_CHECKING:
    from mcp_endpoint.admission.auth import Principal
    from mcp_endpoint.directory import Directory
    from mcp_endpoint.wire.answer import Answer
    from mcp_endpoint.wire.inbound import Inbound

log = structlog.get_logger(__name__)

WAITING: Final = 50_000  # rows, in this process
WRITE_SECONDS: Final = 1.0
ENDING_SECONDS: Final = 3.0
METHOD_CHARACTERS: Final = 64
NAME_CHARACTERS: Final = 256
SCANNED_BYTES: Final = 256 * 1024

_ID_AT: Final = len(b'{"jsonrpc":"2.0","id":')
_FLAG: Final = b'"isError"'
_UNRECORDED: Final = frozenset({"ping", "subscriptions/listen"})


class _Named(msgspec.Struct):
    name: str = ""
    uri: str = ""


_decode_named = msgspec.json.Decoder(_Named).decode


class Records:
    """This process's records between the call and the database."""

    def __init__(self, directory: Directory, waiting: int = WAITING, seconds: float = WRITE_SECONDS) -> None:
        self._directory = directory
        self._waiting = waiting
        self._seconds = seconds
        self._rows: list[CallRow] = []
        self._task: asyncio.Task[None] | None = None
        self._is_failing = False
        self._is_ending = asyncio.Event()

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._write_on())

    async def stop(self) -> None:
        """What is here is written, if the database takes it now."""
        self._is_ending.set()
        if self._task is not None:
            _, late = await asyncio.wait({self._task}, timeout=ENDING_SECONDS)
            for task in late:
                task.cancel()
        if self._rows:
            log.warning("call records were lost: the database does not answer", count=len(self._rows))

    # --- from the endpoint

    def add(self, answer: Answer, principal: Principal, inbound: Inbound, bytes_in: int, ended: str) -> None:
        """A request came to its end; a batch is as many as it holds. `ended` is a status, "" where the answer says."""
        if isinstance(inbound, ModernCall):
            self._add(answer, principal, inbound, answer.body, bytes_in, ended)
        elif isinstance(inbound, LegacyPost):
            for message in inbound.messages:
                if isinstance(message, Call):
                    parts = answer.parts
                    body = answer.body if parts is None else parts.get(message.id)
                    self._add(answer, principal, message, body, bytes_in, ended)

    def _add(
        self,
        answer: Answer,
        principal: Principal,
        message: ModernCall | Call,
        body: bytes | None,
        bytes_in: int,
        ended: str,
    ) -> None:
        """`body` is the response, None where the client saw none."""
        method, route = message.method, answer.route
        if method in _UNRECORDED or route is None:
            return
        if len(self._rows) >= self._waiting:
            LIVE.records_dropped += 1
            return
        seconds = time.perf_counter() - answer.began
        era = answer.series.era
        if not ended:
            missing = calls.CANCELLED if era == MODERN else calls.LEFT
            ended = outcome(body, message.id, method) if body else missing
        self._rows.append(
            CallRow(
                route.deployment_id,
                route.version_id,
                time.time() - seconds,
                int(seconds * 1e6),
                method[:METHOD_CHARACTERS],
                name_of(message) if method in NAMED else "",
                principal.sub,
                principal.client_id,
                era,
                bytes_in,
                answer.size,
                ended,
                answer.was_cold,
            )
        )

    # --- to the database

    async def _write_on(self) -> None:
        while not self._is_ending.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._is_ending.wait()
            if self._rows:
                await self._write()

    async def _write(self) -> None:
        rows, self._rows = self._rows, []
        try:
            await self._directory.calls_write(rows)
            self._is_failing = False
        except Unavailable as error:
            if not self._is_failing:
                log.warning("call records wait: they could not be written", count=len(rows), reason=str(error))
            self._is_failing = True
            self._put_back(rows)
        except Exception:
            LIVE.records_dropped += len(rows)
            log.exception("call records could not be written", count=len(rows))

    def _put_back(self, rows: list[CallRow]) -> None:
        room = max(self._waiting - len(rows), 0)
        LIVE.records_dropped += max(len(self._rows) - room, 0)
        self._rows = rows + self._rows[:room]


def name_of(message: ModernCall | Call, characters: int | None = NAME_CHARACTERS) -> str:
    """The tool, prompt or resource that a request names; "" where it names none that can be read."""
    try:
        named = _decode_named(message.params or b"{}")
    except (msgspec.DecodeError, RecursionError):
        return ""
    return (named.name or named.uri)[:characters]


def outcome(response: bytes, request_id: bytes, method: str) -> str:
    """How a request ended, from its response: a message of ours, so that the order of its members is known."""
    if response.startswith(b',"error"', _ID_AT + len(request_id)):
        return calls.ERROR
    if method == "tools/call" and is_tool_error(response):
        return calls.TOOL_ERROR
    return calls.OK


def is_tool_error(response: bytes) -> bool:
    """Whether the response's `isError` is true, without parsing it: within a string its quotes would be escaped.

    Of a large response only both ends are looked at. A member of that name deeper inside can be taken for it.
    """
    if len(response) <= SCANNED_BYTES:
        return _says_error(response, 0, len(response))
    half = SCANNED_BYTES // 2
    return _says_error(response, 0, half) or _says_error(response, len(response) - half, len(response))


def _says_error(response: bytes, start: int, end: int) -> bool:
    at = response.find(_FLAG, start, end)
    while at >= 0:
        if response[at - 1 : at] != b"\\" and _is_true(response[at + len(_FLAG) : at + len(_FLAG) + 16]):
            return True
        at = response.find(_FLAG, at + 1, end)
    return False


def _is_true(after: bytes) -> bool:
    return after.lstrip()[:1] == b":" and after.lstrip()[1:].lstrip().startswith(b"true")
