"""One task as its client sees it, in one statement: whoever waits or polls does nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection

from hosting.tasks.bodies import stored_read
from hosting.tasks.services import ID_LENGTH, task_unknown
from mcp_endpoint.tasks.wire import TaskSeen

_READ: Final = """
SELECT task.id, tool, task.state, outcome, task.reason, task.created_at, updated_at, ttl_ms, progress::text,
    questions::text, exchange, exchange_owner, coalesce(runner.address, ''), progress_token, result.body, result.stored
FROM hosting_task AS task
LEFT JOIN hosting_runner AS runner ON runner.id = task.runner_id
LEFT JOIN hosting_taskresult AS result ON result.task_id = task.id AND %s
WHERE task.id = %s AND principal = %s AND deployment_id = %s
"""
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def task_read(principal: str, deployment_id: str, task_id: str, *, with_body: bool) -> TaskSeen:
    """The principal's own task. Foreign and unknown ones are told apart by nobody: one query, one error.

    Raises NotFound, and Unavailable when the storage of results is away.
    """
    row = None
    if len(task_id) <= ID_LENGTH and "\0" not in task_id:
        with connection.cursor() as cursor:
            cursor.execute(_READ, [with_body, task_id, principal, UUID(deployment_id)])
            row = cursor.fetchone()
    if row is None:
        raise task_unknown()
    return _seen(*row)


def _seen(
    task_id: str,
    tool: str,
    state: str,
    outcome: str,
    reason: str,
    created_at: datetime,
    updated_at: datetime,
    ttl_ms: int | None,
    progress: str,
    questions: str,
    exchange: str,
    exchange_owner: str,
    runner_address: str,
    progress_token: str,
    body: bytes | None,
    stored: str | None,
) -> TaskSeen:
    """Of a row of _READ."""
    return TaskSeen(
        id=task_id,
        tool=tool,
        state=state,
        outcome=outcome,
        reason=reason,
        created_at=created_at,
        updated_at=updated_at,
        ttl_ms=ttl_ms,
        progress=_decode(progress),
        questions=_decode(questions),
        exchange=exchange,
        exchange_owner=exchange_owner,
        runner_address=runner_address,
        progress_token=progress_token.encode(),
        body=stored_read(stored) if stored else bytes(body or b""),
        page=page_of(task_id),
    )


def page_of(task_id: str) -> str:
    return f"{settings.SLIPWAY_URL}/tasks/{task_id}/"
