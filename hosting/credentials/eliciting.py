"""Asking a person to bring what a call lacks: who may open the page, what is stored, and what its end does to the calls
and tasks that wait for it."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from common import clock
from common.errors import AppError, BadInput, NotFound
from events.actors import SYSTEM, Actor
from events.audit import record
from events.publish import publish_on_commit
from events.types import ElicitationChanged, WaitingChanged
from hosting import queue
from hosting.access.permissions import may_call
from hosting.configuration import inputs
from hosting.configuration.given import declared_of
from hosting.configuration.inputs import key_of
from hosting.credentials.personal import brought_by, given_now, typed_inputs
from hosting.credentials.refusals import DECLINED, DISMISSED, LATE
from hosting.models import Deployment, Elicitation, RunnerPlacement
from hosting.runner import control
from hosting.states import State
from hosting.stream.links import links
from hosting.stream.stream import DetachedError, RunnerPool, RunnerUnavailableError
from hosting.tasks.lacking import tasks_go_on, tasks_refuse
from vault import services
from vault.services import Holder

log = structlog.get_logger(__name__)
KEPT: Final = timedelta(hours=1)
FORGOTTEN: Final = timedelta(days=1)
OWN_PAGE: Final = "site"  # in the place of a client's id: the user came by the page Credentials
COMPLETE: Final = "notifications/elicitation/complete"
REPLACED: Final = "its user's credentials were replaced"
REVOKED: Final = "its user's credentials were revoked"
AT_ONCE: Final = 1000  # pages that are ended together
_State = Elicitation.State


class OverError(AppError):
    """It was answered, declined, or waited too long."""

    status = 410


def elicitation_open(
    *, user_id: UUID, client_id: str, deployment_id: UUID, session: str = "", runner_address: str = ""
) -> Elicitation:
    """The page that waits for this client of the user, made where there is none: asking again asks the same."""
    whose = {"user_id": user_id, "client_id": client_id, "deployment_id": deployment_id, "session": session}
    waiting = Elicitation.objects.filter(**whose, state=_State.OPEN)
    found = waiting.first()
    if found is not None and found.is_expired:
        _expire([found])
        found = None
    if found is None:
        try:
            with transaction.atomic():
                expires = clock.now() + KEPT
                found = Elicitation.objects.create(**whose, runner_address=runner_address, expires_at=expires)
                _tell_pages([found])
        except IntegrityError:  # another call of the same client was faster
            found = waiting.get()
    return found


def elicitation_url(elicitation: Elicitation) -> str:
    return f"{settings.SLIPWAY_URL}/elicit/{elicitation.pk}"


def elicitation_of(actor: Actor, elicitation_id: str) -> Elicitation:
    """For the user whose call it was made for, who may still call that server. Everybody else: NotFound, the same as
    for one that never was."""
    found = (
        Elicitation.objects.select_related("deployment__owner", "deployment__current_version", "user")
        .filter(pk=elicitation_id, user_id=actor.user_id)
        .exclude(deployment__state=State.DELETING)
        .first()
        if actor.user_id is not None and "\0" not in elicitation_id
        else None
    )
    if found is None or not may_call(actor, found.deployment):
        raise NotFound("elicitation_unknown", gettext("There is no such page, or it was made for somebody else."))
    return found


def elicitation_decline(*, actor: Actor, elicitation: Elicitation) -> None:
    """What waited for this page ends in words. Raises OverError."""
    with transaction.atomic():
        _end(elicitation, _State.DECLINED, actor)
        tasks_refuse([elicitation.pk], DECLINED)


def elicitation_cancel(*, actor: Actor, elicitation: Elicitation) -> None:
    """Not now: what waited for this page ends in words, and the next call asks anew. Raises OverError."""
    with transaction.atomic():
        _end(elicitation, _State.CANCELLED, actor)
        tasks_refuse([elicitation.pk], DISMISSED)


def elicitation_done(*, actor: Actor, elicitation: Elicitation) -> None:
    """What was brought works: all that waited for it goes on, and exactly the clients that asked are told.

    Other pages that ask the same user the same, for other clients, are done with it. Raises OverError.
    """
    with transaction.atomic():
        ended = _open_of(elicitation.user_id, elicitation.deployment_id)
        if elicitation not in ended:
            raise _over()
        _done(actor, ended, elicitation.user_id, elicitation.deployment_id)


def elicitations_done(*, user_id: UUID, deployment_id: UUID) -> None:
    """The user lacks nothing there any more, and nobody had to finish a page for that."""
    with transaction.atomic():
        ended = [one for one in _open_of(user_id, deployment_id) if one.client_id != OWN_PAGE]  # that replaces a value
        _done(SYSTEM, ended, user_id, deployment_id)


def _open_of(user_id: UUID, deployment_id: UUID) -> list[Elicitation]:
    """Locked, in one order, so that two who end the same pages never block each other."""
    is_open = {"state": _State.OPEN, "expires_at__gt": clock.now()}
    whose = {"user_id": user_id, "deployment_id": deployment_id}
    return list(Elicitation.objects.filter(**whose, **is_open).select_for_update().order_by("pk"))


def _done(actor: Actor, pages: Sequence[Elicitation], user_id: UUID, deployment_id: UUID) -> None:
    for one in pages:
        _end(one, _State.DONE, actor)
    tasks_go_on(user_id, deployment_id)
    transaction.on_commit(lambda: _tell_clients(pages), robust=True)


def _end(elicitation: Elicitation, state: str, actor: Actor) -> None:
    now = clock.now()
    waiting = Elicitation.objects.filter(pk=elicitation.pk, state=_State.OPEN, expires_at__gt=now)
    if not waiting.update(state=state, ended_at=now):
        raise _over()
    record(actor, f"elicitation:{state}", "deployment", elicitation.deployment_id, client=elicitation.client_id)
    _tell_pages([elicitation])


def _tell_pages(elicitations: Sequence[Elicitation]) -> None:
    for one in elicitations:
        publish_on_commit(ElicitationChanged(one.pk))
    for user_id in {one.user_id for one in elicitations}:
        publish_on_commit(WaitingChanged(str(user_id)))


def _tell_clients(elicitations: Iterable[Elicitation]) -> None:
    """Each session that was given an elicitation's id, and no other (2025-11-25 client/elicitation, "Completion
    Notifications")."""
    told: dict[str, list[control.OfPersons]] = defaultdict(list)
    for one in elicitations:
        if one.session:
            params = msgspec.json.encode({"elicitationId": one.pk})
            told[one.runner_address].append(control.Tell(one.session, one.owner, COMPLETE, params))
    for address, operations in told.items():
        _ask(address, *operations)


def check_open(elicitation: Elicitation) -> None:
    """Raises OverError."""
    if elicitation.state != _State.OPEN or elicitation.is_expired:
        raise _over()


def _over() -> OverError:
    return OverError("elicitation_over", gettext("This page was answered already, or its time is over."))


# --- what a user brings


def credentials_put(
    *, actor: Actor, deployment: Deployment, values: Mapping[str, str], expires_at: datetime | None = None
) -> dict[str, str]:
    """Stores what is good of `values`, by key, for the actor; gives what is wrong with the rest, in words, by key."""
    assert actor.user_id is not None
    known = {key_of(one): one for one in typed_inputs(deployment, declared_of(deployment.current_version))}
    if unknown := values.keys() - known.keys():
        raise BadInput(
            "credential_unknown", gettext("This server asks for no %(name)s.") % {"name": sorted(unknown)[0]}
        )
    problems = {
        key: words
        for key, value in values.items()
        if (words := inputs.problem_of_value(key, value, known[key]) or services.problem_of(key, value))
    }
    good = {key: value for key, value in values.items() if key not in problems}
    if good:
        holder = Holder.personal(actor.user_id, deployment.pk)
        services.secrets_put(
            actor=actor, holder=holder, values=good, expires_at=expires_at, given_to=given_now(deployment)
        )
        forget_at_runner(deployment, actor.user_id, REPLACED)
    return problems


def credentials_revoke(*, actor: Actor, deployment_id: UUID, names: Collection[str] | None = None) -> list[str]:
    """Those of these keys, or all of the actor's for that server; an instance that was started with them ends."""
    assert actor.user_id is not None
    gone = services.secrets_delete(actor=actor, holder=Holder.personal(actor.user_id, deployment_id), names=names)
    deployment = Deployment.objects.filter(pk=deployment_id).first()
    if gone and deployment is not None:
        forget_at_runner(deployment, actor.user_id, REVOKED)
        queue.settle_waiting(deployment.pk)  # where one that was held back is not needed
    return gone


def forget_at_runner(deployment: Deployment, user_id: UUID | None, reason: str) -> None:
    """Of everybody where no user is said. A runner that does not answer now is told by the mark of the next call: it
    starts another instance."""
    placement = RunnerPlacement.objects.select_related("runner").filter(deployment=deployment).first()
    if placement is not None and placement.runner is not None:
        _ask(placement.runner.address, control.ForgetPersonal(str(deployment.pk), str(user_id or ""), reason))


def missing_names(actor: Actor, deployment: Deployment) -> list[str]:
    assert actor.user_id is not None
    return [one.flag or one.name for one in brought_by(actor.user_id, deployment).missing]


def _ask(address: str, *operations: control.OfPersons) -> None:
    async def ask(pool: RunnerPool) -> None:
        link = await pool.link(address)
        for operation in operations:
            with contextlib.suppress(DetachedError):  # one session may be over, the others are told
                await link.ask(operation)

    try:
        links.run(ask)
    except RunnerUnavailableError as error:
        log.info("runner_not_told", runner=address, error=str(error))


def elicitations_expire() -> int:
    """Ends the pages whose time is over, and what waits for them. How many there were."""
    count = 0
    late = Elicitation.objects.filter(state=_State.OPEN, expires_at__lte=clock.now()).order_by("expires_at")
    while found := _expire(list(late[:AT_ONCE])):
        count += found
    return count


def _expire(late: Sequence[Elicitation]) -> int:
    """In a few statements, however many they are."""
    ids = [one.pk for one in late]
    with transaction.atomic():
        rows = Elicitation.objects.filter(pk__in=ids, state=_State.OPEN)
        rows.update(state=_State.EXPIRED, ended_at=clock.now())
        if ids:
            tasks_refuse(ids, LATE)
        _tell_pages(late)
    return len(ids)


def elicitations_purge() -> None:
    Elicitation.objects.filter(expires_at__lt=clock.now() - FORGOTTEN).delete()


def unknown_server() -> NotFound:
    return NotFound("deployment_unknown", gettext("There is no such server, or you bring nothing to it."))
