"""Hosting entries of the registry: what `registry:NAME` stands for, and stopping what was taken down there."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext

from common.errors import BadInput
from events.actors import SYSTEM
from hosting import services
from hosting.building import taken_down
from hosting.kinds import server_json
from hosting.kinds.reference import Reference
from hosting.models import Deployment, DeploymentVersion
from hosting.reasons import refusals_in_words
from hosting.states import State
from registry.models import Server, ServerVersion, Status


@dataclass(frozen=True)
class Entry:
    """`chosen` is the package or remote that the entry's document names."""

    name: str
    version: str
    chosen: server_json.Chosen

    def note(self, version: DeploymentVersion) -> None:
        """By this a take-down finds it, and an update the newer entry."""
        version.registry_name, version.registry_version = self.name, self.version
        version.save(update_fields=["registry_name", "registry_version"])


def entry_find(reference: Reference) -> Entry:
    """The version named, or the latest. Raises BadInput."""
    shown = ServerVersion.objects.filter(name=reference.name).exclude(status=Status.DELETED)
    which = Q(version=reference.version) if reference.version else Q(is_latest=True)
    row = shown.filter(which).first()
    if row is None:
        raise BadInput("entry_unknown", _unknown(reference, shown.exists()), field="reference")
    try:
        with refusals_in_words():
            chosen = server_json.choose(row.server_json)
    except BadInput as error:
        error.field = "reference"
        raise
    return Entry(row.name, row.version, chosen)


def _unknown(reference: Reference, has_others: bool) -> str:
    if reference.version and has_others:
        words = gettext("The registry has %(name)s, but no version %(version)s of it.")
        return words % {"name": reference.name, "version": reference.version}
    return gettext("The registry of this site has no server %(name)s.") % {"name": reference.name}


def taken_down_stop() -> None:
    """Stops what serves, or is built, from a server that was taken down. A part of every round of the reconciler, so
    that it happens also when nobody heard of the event."""
    for server in Server.objects.filter(taken_down_at__isnull=False, name__in=_names_hosted()):
        serving = Q(current_version__registry_name=server.name)
        building = Q(current_version__isnull=True, versions__registry_name=server.name)
        for deployment in Deployment.objects.filter(serving | building).exclude(state__in=_STOPPED).distinct():
            services.deployment_stop(actor=SYSTEM, deployment=deployment, reason=taken_down.words(server))


_STOPPED = (State.STOPPED, State.DELETING)


def _names_hosted() -> list[str]:
    return list(DeploymentVersion.objects.exclude(registry_name="").values_list("registry_name", flat=True).distinct())
