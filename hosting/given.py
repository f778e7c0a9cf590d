"""What a deployment was given to start with: the inputs of its version, its settings and its secrets."""

from __future__ import annotations

import msgspec

from hosting import sealed
from hosting.inputs import Plain, Settings
from hosting.kinds.declared import Declared, from_json
from hosting.models import Deployment, DeploymentVersion


def declared_of(version: DeploymentVersion | None) -> tuple[Declared, ...]:
    try:
        return from_json(version.declared) if version is not None else ()
    except msgspec.ValidationError:  # written by another release of ours: nothing is asked for
        return ()


def declared_for(deployment: Deployment) -> tuple[Declared, ...]:
    """What a form asks for: the inputs of the newest version, or of the one that serves while that is not built."""
    latest = deployment.versions.order_by("-number").first()
    if latest is None or latest.built_at or latest.declared or deployment.current_version is None:
        return declared_of(latest)
    return declared_of(deployment.current_version)


def settings_of(deployment: Deployment) -> Settings:
    """With the secrets opened: for what starts instances, and for nothing else. Raises Conflict (settings_sealed)."""
    plain = Plain.from_json(deployment.inputs)
    secrets = sealed.unseal(deployment.pk, deployment.sealed)
    return Settings({**plain.values, **secrets}, plain.arguments, frozenset(secrets))
