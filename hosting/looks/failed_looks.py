"""A server that couldn't be looked at: what its last words mean, and what is tried before it is called failed."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from common import clock
from events.actors import SYSTEM
from events.audit import record
from hosting import environments, kinds, queue
from hosting.configuration.inputs import Plain
from hosting.kinds.transports import stdio_argument
from hosting.looks.broken_sets import is_broken_set
from hosting.looks.missing import missing_setting
from hosting.looks.unreachable import network_words
from hosting.models import Deployment, DeploymentVersion
from hosting.runner.placement import Placement
from hosting.services import deployment_move
from hosting.states import State

log = structlog.get_logger(__name__)

_QUOTED_CHARACTERS = 600
_FROM = frozenset({State.READY, State.STARTING, State.FAILED, State.RUNNING})


def look_failed(deployment_id: UUID, placement: Placement, reason: str, printed: str, *, has_answered: bool) -> None:
    """Moves the deployment to where it is now. `printed` is what the instance said on stderr, as far as it is known."""
    version = DeploymentVersion.objects.select_related("environment").filter(pk=placement.version).first()
    if version is None:
        return
    words = failure_noted(version, reason, printed, given=_given(placement))
    if version.missing or has_answered:
        deployment_move(deployment_id, State.FAILED, words, only_from=_FROM)
    elif not _taken_back_in_time(version, reason, printed):
        _suggest_stdio(version, placement)
        deployment_move(deployment_id, State.FAILED, words, only_from=_FROM)


def failure_noted(
    version: DeploymentVersion, reason: str, printed: str = "", given: frozenset[str] = frozenset()
) -> str:
    """Writes down the setting that a failed start named, or that it named none; gives the reason in words."""
    found = missing_setting(printed or reason, given)
    name = found.name if found else ""
    if name != version.missing:
        version.missing = name
        DeploymentVersion.objects.filter(pk=version.pk).update(missing=name)
    # What runs elsewhere says itself which host it did not reach, and how.
    why = found.words if found else "" if version.reference.startswith("remote:") else network_words(printed or reason)
    return f"{why}; {reason}" if why else reason


def names_given(deployment: Deployment) -> frozenset[str]:
    """What its owner has set, by name: a failure that speaks of one of these is about its value."""
    plain = Plain.from_json(deployment.inputs)
    return frozenset(key.partition(":")[2] for key in (*plain.values, *plain.sealed_at))


def _given(placement: Placement) -> frozenset[str]:
    flags = {word.partition("=")[0] for word in placement.argv if word.startswith("-")}
    return frozenset(placement.env) | flags


def _taken_back_in_time(version: DeploymentVersion, reason: str, printed: str) -> bool:
    """Queues the version's build with the packages of its release day, once in its life, where that may help."""
    if (
        version.as_of
        or version.environment is None
        or version.tools is not None
        or not is_broken_set(printed or reason)
    ):
        return False
    as_of = _day_after_release(version)
    if as_of is None or as_of >= clock.now().date():
        return False
    quoted = reason[:_QUOTED_CHARACTERS].rstrip()
    notice = f"Its dependencies are those of {as_of:%Y-%m-%d}, because with today's it doesn't start: {quoted}"
    with transaction.atomic():
        untouched = DeploymentVersion.objects.filter(pk=version.pk, as_of=None, built_at__isnull=False)
        changed = untouched.update(
            as_of=as_of, built_at=None, queued_at=clock.now(), notices=[*version.notices, notice]
        )
        words = f"with today's packages it doesn't start; resolving them as of {as_of:%Y-%m-%d}"
        if not changed or not deployment_move(version.deployment_id, State.QUEUED, words, only_from=_FROM):
            transaction.set_rollback(True)
            return False
        record(
            SYSTEM,
            "deployment:resolve_as_of",
            "deployment",
            version.deployment_id,
            version=version.number,
            as_of=str(as_of),
        )
        queue.build(version.pk)
    return True


def _day_after_release(version: DeploymentVersion) -> date | None:
    """The day after the version's package came out: what it needs may have followed within hours."""
    number = version.resolved.rpartition(" ")[2]
    try:
        released = environments.released(
            kinds.parse(version.reference), number, Path(settings.SLIPWAY_STORE), settings.SLIPWAY_SANDBOX
        )
    except (environments.BuildFailed, OSError) as error:
        log.info("release_date_unknown", version=str(version.pk), error=str(error))
        return None
    return (released + timedelta(days=1)).date() if released else None


def _suggest_stdio(version: DeploymentVersion, placement: Placement) -> None:
    """Some servers speak HTTP unless they are told otherwise; their description says how."""
    if version.environment is None:
        return
    found = stdio_argument(environments.description(version.environment.digest, Path(settings.SLIPWAY_STORE)))
    if not found or any(re.search(r"\bstdio\b", word) for word in placement.argv):
        return
    notice = (
        f"It didn't answer on its standard streams. Its description mentions the argument {found}: "
        "add it in the settings if that is how it is told to use them."
    )
    if notice not in version.notices:
        DeploymentVersion.objects.filter(pk=version.pk).update(notices=[*version.notices, notice])


def build_failed_as_of(version: DeploymentVersion, reason: str) -> bool:
    """The set of the release day couldn't be built: today's is kept, with both reasons. False for other builds."""
    if version.as_of is None or version.environment_id is None:
        return False
    notice = f"Dependencies as of {version.as_of:%Y-%m-%d} couldn't be installed: {reason}"
    DeploymentVersion.objects.filter(pk=version.pk).update(built_at=clock.now(), notices=[*version.notices, notice])
    first = next((words for words in version.notices if "because with today's" in words), "")
    why = first.partition("it doesn't start: ")[2] or "it doesn't start"
    words = f"Dependencies as of {version.as_of:%Y-%m-%d} couldn't be installed ({reason}), and with today's: {why}"
    if not deployment_move(version.deployment_id, State.FAILED, words):
        Deployment.objects.filter(pk=version.deployment_id, state=State.FAILED).update(reason=why)
    return True
