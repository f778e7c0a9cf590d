"""Hosting entries of the registry: what `registry:NAME` stands for, and stopping what was taken down there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from common.errors import BadInput
from events.actors import SYSTEM
from hosting import services, taken_down
from hosting.kinds import server_json
from hosting.kinds.reference import Reference, parse
from hosting.models import Deployment, DeploymentVersion
from hosting.states import State
from registry.models import Server, ServerVersion, Status
from registry.search.running import server_seen

MODERN = "2026-07-28"


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
        chosen = server_json.choose(row.server_json)
    except BadInput as error:
        error.field = "reference"
        raise
    return Entry(row.name, row.version, chosen)


def _unknown(reference: Reference, has_others: bool) -> str:
    if reference.version and has_others:
        return f"The registry has {reference.name}, but no version {reference.version} of it."
    return f"The registry of this site has no server {reference.name}."


def entry_seen(deployment_id: UUID, tools: Sequence[dict[str, Any]], era: str) -> None:
    """Tells the registry's search what a look taught: names of tools, revision, tasks. Only what everybody may know: of
    public deployments, and of packages that an entry names; never that somebody hosts one in private."""
    deployment = Deployment.objects.select_related("current_version").get(pk=deployment_id)
    version = deployment.current_version
    is_public = deployment.access == Deployment.Access.PUBLIC
    is_of_entry = version is not None and bool(version.registry_name) and deployment.kind in ("npm", "pypi")
    if not is_public and not is_of_entry or deployment.kind == "source":
        return
    reference = _without_version(deployment.reference)
    others = Deployment.objects.filter(access=Deployment.Access.PUBLIC, reference__startswith=f"{deployment.kind}:")
    server_seen(
        reference=reference,
        tools=[name for tool in tools if isinstance(name := tool.get("name"), str)],
        revisions=[MODERN] if era == "modern" else [],
        uses=["tasks"] if any(_runs_as_task(tool) for tool in tools) else [],
        is_hosted=is_public
        or any(_without_version(one) == reference for one in others.values_list("reference", flat=True)),
    )


def _without_version(reference: str) -> str:
    found = parse(reference)
    name = re.sub(r"[_.]", "-", found.name.lower()) if found.kind == "pypi" else found.name
    return f"{found.kind}:{name}"


def _runs_as_task(tool: dict[str, Any]) -> bool:
    """2025-11-25: `execution.taskSupport` of the tool."""
    execution = tool.get("execution")
    return isinstance(execution, dict) and execution.get("taskSupport") in ("optional", "required")


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
