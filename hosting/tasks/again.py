"""Running a task's call once more, from the site, with arguments that a person may have edited."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from django.conf import settings
from django.utils.translation import gettext

from common.errors import BadInput, Conflict
from events.actors import Actor
from hosting.access.permissions import may_see, unknown
from hosting.models import Task
from hosting.routing import not_callable, route_of
from hosting.tasks import accepting, hiding
from hosting.tasks.accepting import Wanted

CLIENT = "site"
REVISION = "2026-07-28"  # no session is needed for a call of this one
MAX_ARGUMENTS = 1_000_000  # characters
_CLIENT_INFO = json.dumps({"name": "slipway", "title": "Slipway", "version": "1"})
_CAPABILITIES = json.dumps({"elicitation": {"form": {}, "url": {}}})  # what the page of a task can answer

_decode = msgspec.json.Decoder().decode


def arguments_of(task: Task) -> dict[str, Any]:
    """The arguments as they were sent; {} where there were none."""
    found = _params(task).get("arguments")
    return found if isinstance(found, dict) else {}


def arguments_parse(text: str) -> dict[str, Any]:
    """What somebody wrote into the form. Raises BadInput."""
    if len(text) > MAX_ARGUMENTS:
        raise BadInput(
            "arguments_large",
            gettext("Arguments have at most %(max_arguments)s characters.") % {"max_arguments": f"{MAX_ARGUMENTS:,}"},
            field="arguments",
        )
    try:
        value = _decode(text.encode() if text.strip() else b"{}")
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise BadInput(
            "arguments_json", gettext("This is not JSON: %(error)s.") % {"error": error}, field="arguments"
        ) from error
    if not isinstance(value, dict):
        raise BadInput("arguments_object", gettext("Arguments are a JSON object: { … }."), field="arguments")
    return value


def task_again_by(*, actor: Actor, task: Task, arguments: dict[str, Any]) -> Task:
    """A new task that makes the same call. The actor must be allowed to make it now, as any client must.

    `task` has come from `selectors.task_of_person`. Raises NotFound, Conflict and Unavailable.
    """
    deployment, user_id = task.deployment, actor.user_id
    if user_id is None or not may_see(actor, deployment):
        raise unknown()
    route = route_of(deployment)
    if not route.is_callable:
        raise not_callable(route)
    if refusal := route.policy.refusal(task.tool):
        raise Conflict("tool_refused", refusal)
    if not route.has_tasks or route.task_support.get(task.tool) == "forbidden":
        raise Conflict(
            "tasks_off",
            gettext("The owner of %(label)s does not let %(tool)s run as a task.")
            % {"label": deployment.label, "tool": task.tool},
        )
    params = {name: value for name, value in _params(task).items() if name not in ("_meta", "task", "arguments")}
    params["arguments"] = hiding.restored(arguments, arguments_of(task))
    return accepting.task_create(
        Wanted(
            deployment_id=route.deployment_id,
            version_id=route.version_id,
            user_id=user_id,
            principal=str(user_id),
            client=CLIENT,
            origin=Task.Origin.PAGE,
            revision=REVISION,
            tool=task.tool,
            params=msgspec.json.encode(params).decode(),
            exchange_owner=f"{user_id} {CLIENT} {route.deployment_id}",
            ttl_ms=settings.SLIPWAY_TASK_TTL_SECONDS * 1000,
            client_info=_CLIENT_INFO,
            capabilities=_CAPABILITIES,
            may_run_again=task.tool in route.may_run_again,
        )
    )


def _params(task: Task) -> dict[str, Any]:
    try:
        value = _decode(task.params.encode())
    except (msgspec.DecodeError, UnicodeEncodeError):
        return {}
    return value if isinstance(value, dict) else {}
