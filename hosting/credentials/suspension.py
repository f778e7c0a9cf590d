"""Secrets that wait because what they were given to is something else now: the difference in words, confirm or delete.

Who confirms has seen one difference, and confirms that one: the form brings a digest of what was shown, and the UPDATE
is bound to it. A server that changes once more in between is suspended once more (`vault.services.secrets_use` compares
at each start).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.permissions import ADMINISTERING, roles_of
from common.errors import Conflict
from events.actors import Actor
from hosting import queue
from hosting.access.permissions import check_may_manage
from hosting.configuration.configuring import settings_renewed
from hosting.configuration.given import package_of
from hosting.configuration.inputs import Plain, key_parts
from hosting.credentials import bound
from hosting.credentials.eliciting import REVOKED, forget_at_runner
from hosting.credentials.personal import brought_by
from hosting.models import Deployment
from hosting.services import deployment_locked
from vault.given import Suspended, standing
from vault.services import Holder, secrets_confirm, secrets_delete

CHANGED: Final = "The server has changed once more, or the credentials have. Look at what is different now."


@dataclass(frozen=True)
class Waiting:
    """One of them, as a page shows it. `changes` are (what, before, now)."""

    key: str
    set_at: datetime
    changes: tuple[tuple[str, str, str], ...]
    is_organizations: bool

    @property
    def name(self) -> str:
        return key_parts(self.key)[1]


@dataclass(frozen=True)
class Shown:
    """All that wait for one person at one server; `mark` stands for exactly these differences. Falsy for none."""

    waiting: tuple[Waiting, ...]
    others: tuple[Waiting, ...]  # an organization's, which this person doesn't administer
    mark: str

    @property
    def has_own(self) -> bool:
        return any(not one.is_organizations for one in self.waiting)

    @property
    def has_organizations(self) -> bool:
        """Confirming is as much as storing it for all members: whoever does proves who they are, as for that."""
        return any(one.is_organizations for one in self.waiting)

    def __bool__(self) -> bool:
        return bool(self.waiting or self.others)


NOTHING: Final = Shown((), (), "")


def suspended_of(actor: Actor, deployment: Deployment) -> Shown:
    """What the actor brought or administers. Needs `owner` and `current_version` selected."""
    assert actor.user_id is not None
    return suspended_shown(actor, brought_by(actor.user_id, deployment).suspended)


def suspended_shown(actor: Actor, found: Sequence[Suspended], roles: Mapping[UUID, str] | None = None) -> Shown:
    """`roles`: those of the actor in organizations (`roles_of`), where they are known."""
    own = _confirmable(actor, found, roles)
    return Shown(
        waiting=tuple(map(_waiting, own)),
        others=tuple(_waiting(one) for one in found if one not in own),
        mark=_mark(own),
    )


def suspended_confirm(*, actor: Actor, deployment: Deployment, mark: str) -> list[str]:
    """What the actor saw is right: the names. Raises Conflict (suspension_changed) for what nobody has seen."""
    assert actor.user_id is not None
    found = _confirmable(actor, brought_by(actor.user_id, deployment).suspended)
    names = _confirmed(actor, found, mark)
    queue.settle_waiting(deployment.pk)
    return names


def suspended_delete(*, actor: Actor, deployment: Deployment) -> list[str]:
    """Those that wait and are the actor's own; the names."""
    assert actor.user_id is not None
    holder = Holder.personal(actor.user_id, deployment.pk)
    names = [one.name for one in brought_by(actor.user_id, deployment).suspended if one.holder == holder]
    gone = secrets_delete(actor=actor, holder=holder, names=names)
    if gone:
        forget_at_runner(deployment, actor.user_id, REVOKED)
        queue.settle_waiting(deployment.pk)  # what nobody needs is not asked for
    return gone


# --- an owner's own settings, which a remote server at another address does not get


def settings_suspended(deployment: Deployment) -> Shown:
    return _shown_of_settings(_suspended_settings(deployment))


def settings_confirm(*, actor: Actor, deployment: Deployment, mark: str) -> list[str]:
    """They may go to the new address. Raises NotFound, and Conflict (suspension_changed)."""
    check_may_manage(actor, deployment)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        names = _confirmed(actor, _suspended_settings(locked), mark)
        settings_renewed(locked, actor)
    return names


def _suspended_settings(deployment: Deployment) -> Sequence[Suspended]:
    version, names = deployment.current_version, Plain.from_json(deployment.inputs).sealed_at
    given = bound.given_by_owner(package_of(version)) if version is not None else {}
    if not given or not names:
        return ()
    return standing([Holder.deployment(deployment.pk)], names, dict.fromkeys(names, given)).suspended


def _shown_of_settings(found: Sequence[Suspended]) -> Shown:
    return Shown(tuple(map(_waiting, found)), (), _mark(found))


# --- both


def _confirmable(actor: Actor, found: Sequence[Suspended], roles: Mapping[UUID, str] | None = None) -> list[Suspended]:
    """The actor's own, and those of organizations that the actor administers."""
    if roles is None:
        is_any = any(one.holder.organization_id for one in found)
        roles = roles_of(actor.user_id) if is_any and actor.user_id is not None else {}
    return [
        one
        for one in found
        if (
            one.holder.user_id == actor.user_id
            if one.holder.organization_id is None
            else roles.get(one.holder.organization_id) in ADMINISTERING
        )
    ]


def _confirmed(actor: Actor, found: Sequence[Suspended], mark: str) -> list[str]:
    if not found or mark != _mark(found):
        raise Conflict("suspension_changed", CHANGED)
    with transaction.atomic():
        for one in found:
            if not secrets_confirm(
                actor=actor, holder=one.holder, name=one.name, version=one.version, before=one.before, now=one.now
            ):
                raise Conflict("suspension_changed", CHANGED)
    return [one.name for one in found]


def _mark(found: Iterable[Suspended]) -> str:
    said = [[one.name, one.version, str(one.holder), one.before, one.now] for one in found]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]


def _waiting(one: Suspended) -> Waiting:
    changes = tuple(bound.differences(one.before, one.now))
    return Waiting(one.name, one.set_at, changes, one.holder.organization_id is not None)
