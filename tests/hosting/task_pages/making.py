"""Tasks as their pages meet them."""

from __future__ import annotations

import json
from typing import Any

from accounts.models import User
from common import clock
from hosting.models import Deployment, Task, TaskResult
from hosting.tasks.states import Outcome, State

EVIL = "<script>alert(1)</script>"
ASKED = {
    "method": "elicitation/create",
    "params": {
        "message": f"Go on? {EVIL}",
        "requestedSchema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    },
}


def make_task(deployment: Deployment, user: User | None, *, body: Any = None, **fields: Any) -> Task:
    arguments = {"name": fields.get("tool", "work"), "arguments": {"path": f"/srv/{EVIL}", "api_key": "hunter2"}}
    base: dict[str, Any] = {
        "deployment": deployment,
        "version": deployment.current_version,
        "user": user,
        "principal": str(user.pk) if user else "anonymous",
        "client": "c1",
        "client_info": json.dumps({"name": "claude", "title": EVIL, "version": "2"}),
        "origin": Task.Origin.MODERN,
        "revision": "2026-07-28",
        "tool": "work",
        "params": json.dumps({**arguments, "_meta": {"progressToken": 5}}),
        "state": State.WORKING,
    }
    if body is not None:
        now = clock.now()
        base |= {"state": State.ENDED, "outcome": Outcome.RESULT, "ended_at": now}
    task = Task.objects.create(**{**base, **fields})
    if body is not None:
        TaskResult.objects.create(task=task, body=json.dumps(body).encode())
    return task


def path_of(task: Task, action: str = "") -> str:
    return f"/tasks/{task.id}/{action}"
