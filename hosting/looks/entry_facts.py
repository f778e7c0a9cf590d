"""What running servers teaches the registry's search, of those that its entries name.

Only what everybody may know: of public deployments, and of packages and addresses that an entry names. Never that
somebody hosts one in private.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from common.errors import BadInput
from hosting.kinds.reference import parse
from hosting.models import Deployment
from hosting.states import State
from registry.search import running

PACKAGES = frozenset({"npm", "pypi"})


def entry_seen(deployment_id: UUID, tools: Sequence[dict[str, Any]], revision: str) -> None:
    """What a look taught: names of tools, the protocol revision that was agreed on, tasks."""
    deployment = Deployment.objects.select_related("current_version").get(pk=deployment_id)
    if not _may_be_told(deployment, PACKAGES):
        return
    reference = without_version(deployment.reference)
    running.server_seen(
        reference=reference,
        tools=[name for tool in tools if isinstance(name := tool.get("name"), str)],
        revisions=[revision] if revision else [],
        uses=["tasks"] if any(_runs_as_task(tool) for tool in tools) else [],
        is_hosted=reference in _hosted_openly(),
    )


def questions_seen(deployment_ids: Collection[UUID]) -> None:
    """These asked a person something."""
    for deployment in Deployment.objects.select_related("current_version").filter(pk__in=deployment_ids):
        if _may_be_told(deployment, PACKAGES):
            running.use_seen(without_version(deployment.reference), "elicitation")


def sign_in_seen(deployment_id: UUID, kind: str) -> None:
    """How a server that runs elsewhere wants its callers to sign in, "oauth" for one: it tells everybody who asks."""
    deployment = Deployment.objects.select_related("current_version").filter(pk=deployment_id).first()
    if deployment is not None and _may_be_told(deployment, {"remote"}):
        running.sign_in_seen(without_version(deployment.reference), kind)


def hosted_follow() -> None:
    """What is hosted here for everybody, and what no longer is. A part of every round of the reconciler: a deployment
    gets there and away in many ways."""
    running.hosted_follow(_hosted_openly())


def _hosted_openly() -> set[str]:
    gone: list[str] = [State.STOPPED, State.DELETING]
    public = Deployment.objects.filter(access=Deployment.Access.PUBLIC, current_version__isnull=False)
    return _references(public.exclude(kind="source").exclude(state__in=gone))


def _references(deployments: QuerySet[Deployment]) -> set[str]:
    return {without_version(one) for one in deployments.values_list("reference", flat=True)}


def _may_be_told(deployment: Deployment, kinds: Collection[str]) -> bool:
    """`kinds`: of which it may be told also where only an entry names them."""
    if deployment.access == Deployment.Access.PUBLIC:
        return deployment.kind != "source"
    version = deployment.current_version
    return version is not None and bool(version.registry_name) and deployment.kind in kinds


@lru_cache(maxsize=4096)
def without_version(reference: str) -> str:
    try:
        found = parse(reference)
    except BadInput:  # written when more was allowed
        return reference
    name = re.sub(r"[_.]", "-", found.name.lower()) if found.kind == "pypi" else found.name
    return f"{found.kind}:{name}"


def _runs_as_task(tool: dict[str, Any]) -> bool:
    """2025-11-25: `execution.taskSupport` of the tool."""
    execution = tool.get("execution")
    return isinstance(execution, dict) and execution.get("taskSupport") in ("optional", "required")
