"""Going back to an earlier version, and taking the newest again. What was built stays built."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext

from common import clock
from common.errors import Conflict, NotFound
from events.actors import Actor
from events.audit import record
from events.publish import publish_on_commit
from events.types import DeploymentChanged
from hosting import kinds, queue
from hosting.access.permissions import check_may_manage
from hosting.building import taken_down
from hosting.building.install_consent import install_consent_end
from hosting.fleet.placing import placement_renew
from hosting.models import Deployment, DeploymentVersion
from hosting.services import deployment_deploy, deployment_locked, deployment_move
from hosting.states import State
from hosting.store.unused import version_restore
from hosting.tools.records import tools_seen


def deployment_rollback(*, actor: Actor, deployment: Deployment, number: int) -> DeploymentVersion:
    """Serves from an earlier (or later) version that is built. Sessions finish on the version they began with.

    Nothing is built, so it takes effect with the next call. Raises Conflict while a build is under way, which would
    undo it, and for a version that can't serve. Repeatable.
    """
    check_may_manage(actor, deployment)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        version = locked.versions.filter(number=number).first()
        if version is None:
            raise NotFound(
                "version_unknown",
                gettext("%(label)s has no version %(number)s.") % {"label": locked.label, "number": number},
            )
        if locked.current_version_id == version.pk:
            return version
        if locked.state in (State.QUEUED, State.BUILDING):
            raise Conflict(
                "building",
                gettext("%(label)s is still being built. Wait until that is done.") % {"label": locked.label},
            )
        if not version.built_at or version.failure:
            raise Conflict(
                "version_unusable",
                gettext("Version %(number)s was never built, so nothing can be started from it.") % {"number": number},
            )
        taken_down.check_version(version)
        before = locked.current_version.number if locked.current_version else None
        install_consent_end(actor=actor, deployment=locked, reference=version.reference)
        Deployment.objects.filter(pk=locked.pk).update(
            current_version=version,
            reference=version.reference,
            kind=kinds.parse(version.reference).kind,
            wanted=Deployment.Wanted.RUNNING,
            changed_at=clock.now(),
        )
        record(actor, "deployment:roll_back", "deployment", locked.pk, before=before, after=number)
        if version.tools is not None:
            tools_seen(locked.pk, version.tools)
        placement_renew(locked)
        if not deployment_move(locked.pk, State.READY, f"rolled back to version {number}", actor=actor):
            publish_on_commit(DeploymentChanged(str(locked.pk)))
        if not version_restore(version):
            queue.inspect(locked.pk)
    return version


def deployment_update(*, actor: Actor, deployment: Deployment) -> DeploymentVersion:
    """The same reference, resolved again: the newest release that it allows, as a version of its own."""
    check_may_manage(actor, deployment)
    if deployment.state in (State.QUEUED, State.BUILDING):
        raise Conflict(
            "building",
            gettext("%(label)s is being built already. Wait until that is done.") % {"label": deployment.label},
        )
    return deployment_deploy(actor=actor, deployment=deployment, reference=deployment.reference)
