"""The one table from exceptions to JSON-RPC codes and HTTP statuses, and from codes to statuses.

Every call that the site fails has one line in the log; unknown exceptions are logged with their trace there, and
answered without a word of it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from common.errors import AppError
from hosting.runner.frames import Reason
from hosting.stream.stream import DetachedError, RunnerUnavailableError
from hosting.usage import calls
from mcp_endpoint.admission.limits import BODY_BYTES, GoneError, TooLargeError
from mcp_endpoint.sealed.sealing import BrokenSealError
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.answer import Answer, Header
from mcp_endpoint.wire.rejection import RefusedError

log = structlog.get_logger(__name__)

# 2026-07-28 basic/transports/streamable-http and basic/index, "Error Codes". Other codes travel with 200.
STATUS_OF_CODE: Final = {
    j.PARSE_ERROR: 400,
    j.INVALID_REQUEST: 400,
    j.INVALID_PARAMS: 400,
    j.HEADER_MISMATCH: 400,
    j.MISSING_CAPABILITY: 400,
    j.UNSUPPORTED_VERSION: 400,
    j.METHOD_NOT_FOUND: 404,
}


@dataclass(frozen=True, slots=True)
class Failure:
    status: int
    code: int
    message: str
    retry_after: int = 0
    data: Any = None


_NO_SESSION: Final = Failure(404, j.INVALID_REQUEST, "Session not found: initialize anew")
_OF_REASON: Final = {
    Reason.NO_SESSION: _NO_SESSION,
    Reason.LOST: Failure(404, j.INVALID_REQUEST, "Nothing is known of that call or session any more: start anew"),
    Reason.FORBIDDEN: Failure(404, j.INVALID_REQUEST, "Not found"),
    Reason.SUPERSEDED: Failure(409, j.INVALID_REQUEST, "A newer request with the same id took this one's place"),
    # No 404: a client that begins anew at one calls again, and this call may have done its work.
    Reason.CALL_LOST: Failure(
        503, j.INTERNAL_ERROR, "The call was lost: its runner was restarted. What it did is not known"
    ),
    Reason.CLOSED: Failure(503, j.INTERNAL_ERROR, "The connection to the runner broke. Try again.", 1),
    Reason.DRAINING: Failure(503, j.INTERNAL_ERROR, "The runner takes nothing new. Try again shortly.", 2),
    Reason.UNPLACED: Failure(503, j.INTERNAL_ERROR, "The server is being moved. Try again shortly.", 2),
}


def failure_of(error: BaseException) -> Failure:
    """How `error` is told to a client."""
    if isinstance(error, DetachedError):
        if error.reason == Reason.BUSY:
            message = error.detail or "The server is busy"
            return Failure(503, j.INTERNAL_ERROR, message, 2, {"reason": error.reason})
        return _OF_REASON.get(error.reason, _OF_REASON[Reason.CLOSED])
    if isinstance(error, RunnerUnavailableError):
        return Failure(503, j.INTERNAL_ERROR, "The runner of this server does not answer. Try again shortly.", 2)
    if isinstance(error, BrokenSealError):
        return _NO_SESSION
    if isinstance(error, TooLargeError):
        return Failure(413, j.INVALID_REQUEST, f"The message is larger than the limit of {BODY_BYTES // 2**20} MB")
    if isinstance(error, AppError):
        code = j.INTERNAL_ERROR if error.status >= 500 else j.INVALID_REQUEST
        retry_after = getattr(error, "retry_after", 0)
        return Failure(error.status, code, error.message, retry_after, {"reason": error.code})
    return Failure(500, j.INTERNAL_ERROR, "Internal error; the site's log has the details")


def report(answer: Answer, failure: Failure, error: BaseException) -> None:
    """One line in the log for a call that the site itself failed; what a client did wrong is its own affair."""
    if failure.status >= 500:
        is_unknown = failure.status == 500
        told = str(error) if is_unknown else failure.message
        write_report(answer, failure.status, told, error if is_unknown else None)


def write_report(answer: Answer, status: int, reason: str, error: BaseException | None = None) -> None:
    """`status` 200: the answer had begun, so that its stream ended with an error."""
    log.log(
        logging.ERROR if error is not None else logging.WARNING,
        "call failed",
        status=status,
        reason=reason,
        request_id=answer.request_id.decode("utf-8", "replace"),
        deployment="/".join(answer.key),
        exchange=answer.source.exchange if answer.source is not None else "",
        era=answer.series.era,
        method=answer.series.name,
        exc_info=error,
    )


async def answer_failure(answer: Answer, failure: Failure, request_id: bytes = b"") -> None:
    headers: list[Header] = []
    if failure.retry_after:
        headers.append((b"retry-after", b"%d" % failure.retry_after))
    await answer.json(failure.status, j.failure(request_id, failure.code, failure.message, failure.data), headers)


async def telling(answer: Answer, work: Awaitable[None]) -> None:
    """Do `work`, and tell the client (and the log) how it failed."""
    try:
        await work
    except RefusedError as refused:
        answer.ended = calls.REFUSED
        rejection = refused.rejection
        words = j.failure(rejection.id, rejection.code, rejection.message, rejection.data)
        await answer.json(rejection.status, words, rejection.headers)
    except GoneError:
        return
    except Exception as error:
        failure = failure_of(error)
        answer.ended = calls.REFUSED if failure.status < 500 else calls.ERROR
        report(answer, failure, error)
        if not answer.status:
            await answer_failure(answer, failure, answer.request_id)


def status_of(error: bytes) -> int:
    """The HTTP status for a raw JSON-RPC error object that is answered as plain JSON to a modern client."""
    members = j.decode_members(error) or {}
    code = j.decode_any(members["code"]) if "code" in members else None
    return STATUS_OF_CODE.get(code, 200) if isinstance(code, int) else 200
