"""Whether what a user brought works: that user's instance is started and asked for its tools, and one that its owner
named is called. No address that a publisher gave is asked for that."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext

from common.errors import AppError
from hosting.credentials.check_tools import CheckTool, callable_of, check_tool_of
from hosting.credentials.personal import personal_for
from hosting.fleet.placing import placement_ensure
from hosting.looks.inspection import LookFailed, Visit, look_at, look_keep, tool_asked
from hosting.models import Deployment, DeploymentVersion
from hosting.reasons import in_words
from hosting.routing import placement_for
from hosting.runner.placement import Placement
from hosting.services import deployment_move
from hosting.states import State
from hosting.stream.stream import RunnerUnavailableError
from hosting.tools.invisible import shown

CHECK_SECONDS: Final = 60.0
MAX_WORDS: Final = 1000  # characters that are quoted of a server


class CheckFailed(AppError):
    """It doesn't work with what was brought. `message` is ours, `quoted` what the server says."""

    status = 422

    def __init__(self, message: str, quoted: str = "") -> None:
        super().__init__("check_failed", message)
        self.quoted = quoted


def personal_check(deployment: Deployment, user_id: UUID) -> int:
    """How many tools it has then. Raises CheckFailed, Unavailable and Conflict."""
    placement_ensure(deployment.pk)
    address, placement = placement_for(deployment.pk)
    visit = Visit(f"{user_id} check {deployment.pk}", personal_for(deployment.pk, user_id))
    try:
        look = asyncio.run(asyncio.wait_for(look_at(address, placement, visit), CHECK_SECONDS))
    except (LookFailed, TimeoutError, RunnerUnavailableError) as error:
        raise _failure(error, gettext("The server does not start with these.")) from None
    with transaction.atomic():
        is_first = DeploymentVersion.objects.select_for_update().filter(pk=placement.version, tools=None).exists()
        if is_first:
            look_keep(deployment.pk, placement.version, look)
    if is_first:
        deployment_move(deployment.pk, State.RUNNING, "running", only_from=frozenset({State.READY, State.FAILED}))
    check = check_tool_of(deployment)
    if check is not None and callable_of(check, deployment, look.tools):
        _call(check, address, placement, visit)
    return len(look.tools)


def _call(check: CheckTool, address: str, placement: Placement, visit: Visit) -> None:
    words = gettext(
        "The server starts with these, but %(name)s, the tool that its owner chose for trying them, fails."
    ) % {"name": check.name}
    try:
        asked = tool_asked(address, placement, visit, check.name, check.arguments)
        result = asyncio.run(asyncio.wait_for(asked, CHECK_SECONDS))
    except (LookFailed, TimeoutError, RunnerUnavailableError) as error:
        raise _failure(error, words) from None
    if result.get("isError") is True:
        raise CheckFailed(words, _text_of(result))


def _failure(error: Exception, words: str) -> CheckFailed:
    if isinstance(error, LookFailed):
        return CheckFailed(words, _cut(in_words(str(error))))
    if isinstance(error, TimeoutError):
        return CheckFailed(gettext("It did not answer within %(seconds)d s.") % {"seconds": CHECK_SECONDS})
    return CheckFailed(gettext("It could not be tried just now. Try again in a moment."))


def _text_of(result: Mapping[str, Any]) -> str:
    """The text of a tool's result, without its other content."""
    blocks = result.get("content")
    texts = [block.get("text") for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
    return _cut("\n".join(text for text in texts if isinstance(text, str)))


def _cut(words: str) -> str:
    """With every character that could not be seen written out."""
    return shown(words[:MAX_WORDS]) + ("…" if len(words) > MAX_WORDS else "")
