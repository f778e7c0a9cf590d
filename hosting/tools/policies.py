"""Tool policies, kept by process: one is worked out again only when a row that it follows from has changed."""

from __future__ import annotations

from typing import Any

from hosting.models import Deployment, Tool
from hosting.tools.definitions import ToolPolicy
from hosting.tools.records import policy_of

_KEPT = 2000
_known: dict[str, tuple[object, ToolPolicy]] = {}


def policy_kept(deployment: Deployment) -> ToolPolicy:
    """The policy of `deployment` as the row says. The same object as before while nothing changed."""
    key = str(deployment.pk)
    stamp = _stamp(deployment)
    known = _known.get(key)
    if known is not None and known[0] == stamp:
        return known[1]
    policy = policy_of(deployment.pk)
    if len(_known) >= _KEPT:
        _known.clear()
    _known[key] = (stamp, policy)
    return policy


def _stamp(deployment: Deployment) -> tuple[Any, ...]:
    """What the policy follows from, without the definitions themselves, which are large."""
    version = deployment.current_version
    rows = Tool.objects.filter(deployment=deployment).order_by("pk")
    digests = rows.values_list("pk", "is_enabled", "is_guarded", "seen_digest", "approved_digest", "approved_at")
    return (deployment.tool_approval, version is not None and version.tools is not None, tuple(digests))
