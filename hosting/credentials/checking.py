"""Whether what a user brought works: that user's instance is started, and asked for its tools. No address that a
publisher gave is asked for that."""

from __future__ import annotations

import asyncio
from uuid import UUID

from django.db import transaction

from common.errors import AppError
from hosting.credentials.personal import personal_for
from hosting.inspection import LookFailed, Visit, look_at, look_keep
from hosting.models import Deployment, DeploymentVersion
from hosting.placing import placement_ensure
from hosting.routing import placement_for
from hosting.services import deployment_move
from hosting.states import State
from hosting.stream import RunnerUnavailableError

CHECK_SECONDS = 60.0


class CheckFailed(AppError):
    """It doesn't start with what was brought; the message is in the server's words."""

    status = 422


def personal_check(deployment: Deployment, user_id: UUID) -> int:
    """How many tools it has then. Raises CheckFailed, Unavailable and Conflict."""
    placement_ensure(deployment.pk)
    address, placement = placement_for(deployment.pk)
    own = personal_for(deployment.pk, user_id)
    visit = Visit(f"{user_id} check {deployment.pk}", own)

    try:
        look = asyncio.run(asyncio.wait_for(look_at(address, placement, visit), CHECK_SECONDS))
    except LookFailed as error:
        raise CheckFailed("check_failed", str(error)) from None
    except TimeoutError:
        raise CheckFailed("check_failed", f"It did not answer within {CHECK_SECONDS:.0f} s.") from None
    except RunnerUnavailableError:
        raise CheckFailed("check_failed", "It could not be tried just now. Try again in a moment.") from None
    with transaction.atomic():
        is_first = DeploymentVersion.objects.select_for_update().filter(pk=placement.version, tools=None).exists()
        if is_first:
            look_keep(deployment.pk, placement.version, look)
    if is_first:
        deployment_move(deployment.pk, State.RUNNING, "running", only_from=frozenset({State.READY, State.FAILED}))
    return len(look.tools)
