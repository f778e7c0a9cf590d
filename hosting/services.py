"""Writing deployments: what people and operators ask for. Each call is one transaction: change, audit row, event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from accounts.models import Name
from accounts.permissions import may_own_as
from common import clock
from common.errors import BadInput, Conflict, NotFound
from events.actors import SYSTEM, Actor
from events.audit import record
from events.publish import publish_on_commit
from events.types import DeploymentChanged
from hosting import kinds, names, queue
from hosting.access.members import access_check, deployment_access_set
from hosting.access.permissions import check_may_host, check_may_manage
from hosting.building import taken_down
from hosting.building.install_consent import ENDED as CONSENT_ENDED
from hosting.building.install_consent import install_consent_end
from hosting.configuration.given import declared_of
from hosting.fleet.placing import placement_drop
from hosting.kinds.declared import Declared, to_json
from hosting.models import Deployment, DeploymentVersion
from hosting.quotas.quotas import check_deployments
from hosting.reasons import refusals_in_words
from hosting.routing import resource_url
from hosting.states import State, sources
from hosting.store.sources import source_for
from hosting.tasks.ending import tasks_cancel_of
from oauth.models import Connection
from oauth.outbound.ending import connections_end
from oauth.outbound.providers import providers_forget
from oauth.services import endpoint_tokens_revoke_for
from vault.services import secrets_forget

Access = Deployment.Access


def deployment_create(
    *,
    actor: Actor,
    owner: Name,
    name: str,
    reference: str,
    access: str = Access.PRIVATE,
    title: str = "",
    declared: Sequence[Declared] = (),
) -> Deployment:
    """A deployment with its first version, whose build is queued on commit. `declared` are inputs it asks for."""
    if not may_own_as(actor, owner):
        raise NotFound("account_unknown", gettext("There is no such account, or it isn't yours to host for."))
    parsed = names.parse(name)
    wanted = _parse(reference)
    check_may_host(actor, owner, wanted.kind)
    access_check(access)
    try:
        with transaction.atomic():
            check_deployments(owner)
            deployment = Deployment.objects.create(
                owner=owner,
                name=parsed.display,
                folded_name=parsed.folded,
                title=title,
                reference=str(wanted),
                kind=wanted.kind,
                access=access,
                reason="queued for building",
            )
            version = DeploymentVersion.objects.create(
                deployment=deployment,
                number=1,
                reference=str(wanted),
                source=source_for(owner, wanted),
                declared=to_json(declared),
            )
            record(
                actor,
                "deployment:create",
                "deployment",
                deployment.id,
                name=deployment.label,
                reference=str(wanted),
                access=access,
            )
            publish_on_commit(DeploymentChanged(str(deployment.id)))
            queue.build(version.id)
    except IntegrityError as error:
        raise Conflict(
            "deployment_exists",
            gettext("There is a server named %(owner)s/%(name)s already. Choose another name.")
            % {"owner": owner.display, "name": parsed.display},
        ) from error
    return deployment


def deployment_deploy(
    *, actor: Actor, deployment: Deployment, reference: str, declared: Sequence[Declared] | None = None
) -> DeploymentVersion:
    """A new version. The present one serves until the new one is built.

    Without `declared`, another version of the same package is taken to ask for what the last one did.
    """
    check_may_manage(actor, deployment)
    wanted = _parse(reference)
    check_may_host(actor, deployment.owner, wanted.kind)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        latest = locked.versions.order_by("-number").first()
        has_ended = install_consent_end(actor=actor, deployment=locked, reference=str(wanted))
        version = DeploymentVersion.objects.create(
            deployment=locked,
            number=latest.number + 1 if latest else 1,
            reference=str(wanted),
            notices=[CONSENT_ENDED] if has_ended else [],
            source=source_for(locked.owner, wanted),
            declared=to_json(declared) if declared is not None else _declared_before(latest, wanted),
        )
        Deployment.objects.filter(pk=locked.pk).update(
            reference=str(wanted), kind=wanted.kind, wanted=Deployment.Wanted.RUNNING, changed_at=clock.now()
        )
        if not deployment_move(locked.pk, State.QUEUED, "queued for building", actor=actor):
            publish_on_commit(DeploymentChanged(str(locked.pk)))  # it is queued or being built already
        record(actor, "deployment:deploy", "deployment", locked.pk, version=version.number, reference=str(wanted))
        queue.build(version.id)
    return version


def deployment_host(
    *,
    actor: Actor,
    owner: Name,
    name: str,
    reference: str,
    access: str | None = None,
    declared: Sequence[Declared] | None = None,
) -> tuple[Deployment, DeploymentVersion]:
    """What the `host` command means: make it so, and redo nothing that is done. Gives the version it stands for."""
    wanted = str(_parse(reference))
    found = Deployment.objects.select_related("owner").filter(owner=owner, folded_name=names.fold(name)).first()
    if found is None:
        found = deployment_create(
            actor=actor,
            owner=owner,
            name=name,
            reference=wanted,
            access=access or Access.PRIVATE,
            declared=declared or (),
        )
    elif access and access != found.access:
        deployment_access_set(actor=actor, deployment=found, access=access)
    latest = found.versions.order_by("-number").first()
    is_same = latest is not None and latest.reference == wanted and not latest.failure
    if latest is None or not is_same or (declared is not None and declared_of(latest) != tuple(declared)):
        latest = deployment_deploy(actor=actor, deployment=found, reference=wanted, declared=declared)
    elif found.state == State.STOPPED:
        deployment_start(actor=actor, deployment=found)
    found.refresh_from_db()
    return found, latest


def deployment_stop(*, actor: Actor, deployment: Deployment, reason: str = "stopped by its owner") -> None:
    """Ends its instances and takes no more calls. Repeatable."""
    check_may_manage(actor, deployment)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        Deployment.objects.filter(pk=locked.pk).update(wanted=Deployment.Wanted.STOPPED)
        if deployment_move(locked.pk, State.STOPPED, reason, actor=actor):
            tasks_cancel_of(locked.pk, "Its server was stopped.")
            _drop(locked, reason)


def deployment_start(*, actor: Actor, deployment: Deployment) -> None:
    """Takes calls again; builds first what was never built. Repeatable."""
    check_may_manage(actor, deployment)
    taken_down.check(deployment)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        Deployment.objects.filter(pk=locked.pk).update(wanted=Deployment.Wanted.RUNNING)
        latest = locked.versions.order_by("-number").first()
        if locked.state not in (State.STOPPED, State.FAILED):
            return
        if latest is not None and not latest.built_at and not latest.failure:  # stopped while it was being built
            if deployment_move(locked.pk, State.QUEUED, "queued for building", actor=actor):
                queue.build(latest.id)
        elif locked.current_version_id:
            if deployment_move(locked.pk, State.READY, "", actor=actor):
                queue.inspect(locked.pk)
        else:
            deployment_deploy(actor=actor, deployment=locked, reference=locked.reference)


def deployment_restart(*, actor: Actor, deployment: Deployment) -> None:
    """Ends its instances; the next call, or our look, starts new ones. What was never built is built again."""
    check_may_manage(actor, deployment)
    taken_down.check(deployment)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        if locked.state in (State.QUEUED, State.BUILDING):
            raise Conflict(
                "building",
                gettext("%(label)s is still being built. Wait until that is done.") % {"label": locked.label},
            )
        if locked.current_version_id is None:
            deployment_deploy(actor=actor, deployment=locked, reference=locked.reference)
            return
        Deployment.objects.filter(pk=locked.pk).update(wanted=Deployment.Wanted.RUNNING)
        _drop(locked, "restarted by its owner")
        record(actor, "deployment:restart", "deployment", locked.pk)
        if not deployment_move(locked.pk, State.READY, "", actor=actor):
            publish_on_commit(DeploymentChanged(str(locked.pk)))
        queue.inspect(locked.pk)


def deployment_delete(*, actor: Actor, deployment: Deployment) -> None:
    """Nothing of it can be seen or called from now on; the row goes when no runner holds it any more."""
    check_may_manage(actor, deployment)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        Deployment.objects.filter(pk=locked.pk).update(wanted=Deployment.Wanted.STOPPED)
        if deployment_move(locked.pk, State.DELETING, "deleted by its owner", actor=actor):
            record(actor, "deployment:delete", "deployment", locked.pk, name=locked.label)
            url = resource_url(locked.owner.folded, locked.folded_name)
            endpoint_tokens_revoke_for(actor=actor, deployment_id=locked.pk, resource=url)
            tasks_cancel_of(locked.pk, "Its server was deleted.")
            secrets_forget(actor=actor, deployment_id=locked.pk)
            providers_forget(locked.pk)
            if connections_end(Connection.objects.filter(subject_id=locked.pk)):
                queue.tend_accounts()
            _drop(locked, "deleted by its owner")
            queue.reconcile()


def deployment_move(
    deployment_id: UUID, to: State, reason: str, *, actor: Actor = SYSTEM, only_from: frozenset[State] | None = None
) -> bool:
    """The one way a state changes: a conditional UPDATE by the transition table, an audit row and an event on commit.

    False when the deployment was in no state from which `to` may be entered (or it is gone); nothing happened then.
    `only_from` narrows the table, for a caller that acts on what it saw.
    """
    allowed = sources(to) & only_from if only_from is not None else sources(to)
    with transaction.atomic():
        rows = Deployment.objects.select_for_update().filter(pk=deployment_id, state__in=allowed)
        before = rows.values_list("state", flat=True).first()
        if before is None:
            return False
        Deployment.objects.filter(pk=deployment_id).update(state=to, reason=reason, changed_at=clock.now())
        record(actor, "deployment:move", "deployment", deployment_id, before=before, after=str(to), reason=reason)
        publish_on_commit(DeploymentChanged(str(deployment_id)))
    return True


def deployment_note(deployment_id: UUID, state: State, reason: str) -> bool:
    """New words for the state it is in; False when it isn't. Neither audited nor announced: news, not a change."""
    return bool(Deployment.objects.filter(pk=deployment_id, state=state).update(reason=reason))


def deployment_locked(deployment: Deployment) -> Deployment:
    """The row as it is now, held to the end of the transaction. Raises NotFound when it has gone meanwhile."""
    rows = Deployment.objects.select_related("owner").select_for_update(of=("self",)).filter(pk=deployment.pk)
    locked = rows.exclude(state=State.DELETING).first()
    if locked is None:
        raise NotFound("deployment_unknown", gettext("There is no such server, or it isn't yours."))
    return locked


def _declared_before(latest: DeploymentVersion | None, wanted: kinds.Reference) -> list[Any]:
    before = kinds.parse(latest.reference) if latest is not None else None
    is_same = before is not None and (before.kind, before.name) == (wanted.kind, wanted.name)
    return list(latest.declared) if latest is not None and is_same else []


def _drop(deployment: Deployment, reason: str) -> None:
    if (held := placement_drop(deployment)) is not None:
        address, epoch = held
        queue.unplace(deployment.pk, address, epoch, reason)


def _parse(reference: str) -> kinds.Reference:
    """What can be built or connected to; an entry of the registry names one of those (building/registry_entries.py)."""
    try:
        with refusals_in_words():
            found = kinds.parse(reference)
        if found.kind == "registry":
            raise BadInput("bad_reference", gettext("Look the entry up in the registry first."))
    except BadInput as error:
        error.field = "reference"
        raise
    return found
