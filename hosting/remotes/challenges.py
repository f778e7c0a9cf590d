"""What a remote server without an account last said when it refused a call: for the page that offers to sign in.

Kept in Valkey. Losing it is no harm: the server is asked again there.
"""

from __future__ import annotations

from uuid import UUID

from django.core.cache import cache

from events.publish import publish_on_commit
from events.types import DeploymentChanged
from hosting.looks.entry_facts import sign_in_seen
from oauth.outbound.challenges import Challenge

CHALLENGE_SECONDS = 86_400


def challenge_note(deployment_id: UUID, challenge: Challenge) -> None:
    said = {"metadata_url": challenge.metadata_url, "scopes": challenge.scopes}
    if cache.get(_challenge_key(deployment_id)) != said:
        cache.set(_challenge_key(deployment_id), said, CHALLENGE_SECONDS)
        publish_on_commit(DeploymentChanged(str(deployment_id)))
        if challenge.metadata_url:  # RFC 9728: it names where to sign in by OAuth
            sign_in_seen(deployment_id, "oauth")


def challenge_noted(deployment_id: UUID) -> Challenge | None:
    said = cache.get(_challenge_key(deployment_id))
    return Challenge(metadata_url=said["metadata_url"], scopes=said["scopes"]) if said is not None else None


def _challenge_key(deployment_id: UUID) -> str:
    return f"hosting:challenge:{deployment_id}"
