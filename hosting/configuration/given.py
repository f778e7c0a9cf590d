"""What a deployment was given to start with: the inputs of its version, its settings and its secrets."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from common.errors import Conflict
from events.actors import SYSTEM
from hosting.configuration.inputs import Plain, Settings
from hosting.credentials import bound
from hosting.kinds.declared import Declared, from_json
from hosting.models import Deployment, DeploymentVersion
from vault.services import Holder, secrets_use


def declared_of(version: DeploymentVersion | None) -> tuple[Declared, ...]:
    try:
        return from_json(version.declared) if version is not None else ()
    except msgspec.ValidationError:  # written by another release of ours: nothing is asked for
        return ()


def declared_for(deployment: Deployment) -> tuple[Declared, ...]:
    """What a form asks for: the inputs of the newest version, or of the one that serves while that is not built."""
    return declared_of(version_for(deployment))


def version_for(deployment: Deployment) -> DeploymentVersion | None:
    """The newest version, or the one that serves while nothing is known of that."""
    latest = deployment.versions.order_by("-number").first()
    if latest is None or latest.built_at or latest.declared or deployment.current_version is None:
        return latest
    return deployment.current_version


def package_of(version: DeploymentVersion) -> dict[str, str]:
    """What secrets are given to (hosting.credentials.bound)."""
    return bound.package_of(version.reference, str((version.remote or {}).get("url", "")))


def settings_of(deployment: Deployment, only: Collection[str] | None = None) -> Settings:
    """With the secrets opened (`only`: those of these keys), for what starts instances and nothing else. Each time is
    an audit row. Raises Conflict (settings_sealed, settings_suspended)."""
    plain = Plain.from_json(deployment.inputs)
    keys = [key for key in plain.sealed_at if only is None or key in only]
    return Settings({**plain.values, **_opened(deployment, keys)}, plain.arguments, frozenset(keys))


def _opened(deployment: Deployment, keys: Collection[str]) -> dict[str, str]:
    if not keys:
        return {}
    version = deployment.current_version
    given = bound.given_by_owner(package_of(version)) if version is not None else {}
    try:
        found = secrets_use(
            actor=SYSTEM,
            holders=[Holder.deployment(deployment.pk)],
            names=keys,
            given_to=dict.fromkeys(keys, given) if given else None,
        )
    except Conflict:
        raise Conflict(
            "settings_sealed",
            "The secret settings of this server can't be opened any more: the vault's key has changed. "
            "Its owner sets them again on its page, under Settings.",
        ) from None
    if waiting := sorted(key.partition(":")[2] for key in keys if key not in found):
        raise Conflict(
            "settings_suspended",
            f"{', '.join(waiting)} of this server waits for its owner, and is sent nowhere until then: "
            f"it was not set for {given.get(bound.ORIGIN, 'this server as it is now')}, or has expired. "
            "Its owner confirms it or sets it again on its page, under Settings.",
        )
    return found
