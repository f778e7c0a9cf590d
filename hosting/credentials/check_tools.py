"""The one tool that a deployment's owner named for trying what a user brought: who may name it, and which it may be.

Its arguments are the owner's, and the same for every user. It only reads, as it says of itself, or its owner has
confirmed that calling it does no harm. Publishers name none: neither a tool nor an address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext

from common import clock
from common.errors import BadInput
from events.actors import Actor
from events.audit import record
from hosting.access.permissions import check_may_manage
from hosting.models import Deployment
from hosting.services import deployment_locked
from hosting.tools.definitions import NAME_LENGTH
from hosting.tools.records import policy_of

MAX_ARGUMENTS: Final = 4096  # characters of their JSON


@dataclass(frozen=True)
class CheckTool:
    name: str
    arguments: Mapping[str, Any]
    is_confirmed: bool

    def may_be_called(self, tool: Mapping[str, Any]) -> bool:
        return self.is_confirmed or _only_reads(tool)


def check_tool_of(deployment: Deployment) -> CheckTool | None:
    """None where trying is starting, and listing the tools."""
    if not deployment.check_tool:
        return None
    return CheckTool(deployment.check_tool, deployment.check_arguments, deployment.check_confirmed)


def callable_of(check: CheckTool, deployment: Deployment, tools: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the server's list of this moment has it as its owner saw it: not changed since, not switched off."""
    found = next((tool for tool in tools if tool.get("name") == check.name), None)
    return found is not None and check.may_be_called(found) and policy_of(deployment.pk).allows(dict(found))


def check_tool_set(
    *,
    actor: Actor,
    deployment: Deployment,
    check_tool: str,
    check_arguments: Any = None,
    check_confirmed: bool = False,
) -> None:
    """ "" for none. Raises BadInput: no such tool, no object, or a tool that may write and was not confirmed."""
    check_may_manage(actor, deployment)
    arguments = (check_arguments or {}) if check_tool else {}
    is_confirmed = check_confirmed and bool(check_tool)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        if check_tool:
            _check(locked, check_tool, arguments, is_confirmed)
        wanted = {"check_tool": check_tool, "check_arguments": arguments, "check_confirmed": is_confirmed}
        if wanted == {name: getattr(locked, name) for name in wanted}:
            return
        Deployment.objects.filter(pk=locked.pk).update(**wanted, changed_at=clock.now())
        said = {"tool": check_tool, "arguments": sorted(arguments), "is_confirmed": is_confirmed}
        record(actor, "deployment:set_check_tool", "deployment", locked.pk, **said)


def _check(deployment: Deployment, name: str, arguments: Any, is_confirmed: bool) -> None:
    if len(name) > NAME_LENGTH:
        raise BadInput("check_tool_unknown", gettext("No tool has so long a name."), field="check_tool")
    if problem := _problem_of(arguments):
        raise BadInput("check_arguments_invalid", problem, field="check_arguments")
    version = deployment.current_version
    if version is None or version.tools is None:  # nobody has seen its tools: looked at when it is called
        return
    tool = next((each for each in version.tools if each.get("name") == name), None)
    if tool is None:
        raise BadInput(
            "check_tool_unknown", gettext("The server has no tool %(name)s.") % {"name": name}, field="check_tool"
        )
    if not (is_confirmed or _only_reads(tool)):
        words = f"{name} does not say that it only reads. Confirm that calling it for each user does no harm."
        raise BadInput("check_tool_writes", words, field="check_confirmed")


def _problem_of(arguments: Any) -> str:
    """What is wrong with them, in words; "" for nothing."""
    if not isinstance(arguments, dict):
        return "The arguments are a JSON object."
    try:
        text = json.dumps(arguments, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):  # infinity; half of a surrogate pair, or nested without end
        return "The arguments have something in them that JSON does not."
    if "\\u0000" in text.replace("\\\\", ""):
        return "The arguments have a NUL character in a text."
    return "" if len(text) <= MAX_ARGUMENTS else f"The arguments have at most {MAX_ARGUMENTS} characters as JSON."


def _only_reads(tool: Mapping[str, Any]) -> bool:
    """By its own word (ToolAnnotations.readOnlyHint, false where it is left out)."""
    annotations = tool.get("annotations")
    return isinstance(annotations, dict) and annotations.get("readOnlyHint") is True
