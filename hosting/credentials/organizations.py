"""What an organization keeps for its members: a value for one of its servers, or for all of them. Values only go in.

Its owners and administrators store and delete them; they count for members who bring none of their own
(`personal.holders_of`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext

from accounts.models import Organization
from accounts.permissions import check_may_administer
from common.errors import BadInput, NotFound
from events.actors import Actor
from hosting import names, queue
from hosting.configuration import inputs
from hosting.configuration.given import declared_of
from hosting.configuration.inputs import key_of, key_parts
from hosting.credentials.eliciting import REVOKED, forget_at_runner
from hosting.credentials.personal import given_now, typed_inputs
from hosting.kinds.declared import Declared
from hosting.models import Deployment
from hosting.states import State
from vault import services
from vault.expiry import check_expiry, secret_expire
from vault.models import Secret
from vault.selectors import Stored, stored_for
from vault.services import Holder
from vault.uses import uses_counted


@dataclass(frozen=True)
class Kept:
    """`deployment` is None for all of the organization's servers. `uses` are those of all members."""

    deployment: Deployment | None
    stored: Stored
    uses: int

    @property
    def name(self) -> str:
        return key_parts(self.stored.name)[1]


def servers_of(organization: Organization) -> list[Deployment]:
    """Those to which each user brings something, with `owner` and `current_version` selected."""
    return list(_owned(organization).exclude(personal_inputs=[]).order_by("folded_name"))


def server_of(organization: Organization, name: str) -> Deployment:
    """By its name, below the organization's. Raises NotFound."""
    found = _owned(organization).filter(folded_name=names.fold(name)).first() if "\0" not in name else None
    if found is None:
        raise NotFound("deployment_unknown", gettext("The organization has no server of that name."))
    return found


def _owned(organization: Organization) -> QuerySet[Deployment]:
    rows = Deployment.objects.filter(owner=organization.name).exclude(state=State.DELETING)
    return rows.select_related("owner", "current_version")


def settings_of(servers: Iterable[Deployment]) -> dict[str, Declared]:
    """What users bring to these servers, by key."""
    return {key_of(one): one for server in servers for one in typed_inputs(server, declared_of(server.current_version))}


def organization_credentials(actor: Actor, organization: Organization) -> list[Kept]:
    """Those for all servers first. Raises NotFound and Forbidden."""
    check_may_administer(actor, organization)
    servers = {one.pk: one for one in _owned(organization)}
    uses = uses_counted(servers.keys())
    found: list[Kept] = []
    for holder, kept in stored_for(None, [organization.pk]).items():
        server = servers.get(holder.deployment_id) if holder.deployment_id else None
        for one in kept:
            places = [holder.deployment_id] if holder.deployment_id else servers
            times = sum(uses.get((pk, one.name, Secret.Scope.ORGANIZATION), 0) for pk in places)
            found.append(Kept(server, one, times))
    return sorted(found, key=lambda one: (one.deployment.folded_name if one.deployment else "", one.stored.name))


def organization_credential_put(
    *,
    actor: Actor,
    organization: Organization,
    setting: str,
    value: str,
    deployment: Deployment | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Stores or replaces one; its key. `setting` is a key, or a name as people see it. Raises BadInput."""
    check_may_administer(actor, organization)
    check_expiry(expires_at)
    known = settings_of([deployment] if deployment is not None else servers_of(organization))
    key = key_for(setting, known)
    if deployment is not None and key not in known:
        raise BadInput(
            "credential_unknown",
            gettext("That server asks for no %(setting)s.") % {"setting": setting},
            field="setting",
        )
    if problem := "" if key in known else inputs.problem_of_name(key):
        raise BadInput("credential_unknown", f"{setting}: {problem}", field="setting")
    words = inputs.problem_of_value(key, value, known[key]) if key in known else ""
    if words := words or services.problem_of(key, value):
        raise BadInput("secret_invalid", words, field="value")
    given_to = given_now(deployment) if deployment is not None else None
    services.secrets_put(
        actor=actor,
        holder=_holder(organization, deployment),
        values={key: value},
        expires_at=expires_at,
        given_to=given_to,
    )
    _settle([deployment] if deployment is not None else servers_of(organization))
    return key


def organization_credential_delete(
    *, actor: Actor, organization: Organization, setting: str, deployment: Deployment | None = None
) -> bool:
    """Whether there was one. What members' instances were started with ends with them."""
    check_may_administer(actor, organization)
    servers = [deployment] if deployment is not None else servers_of(organization)
    key = key_for(setting, settings_of(servers))
    gone = services.secrets_delete(actor=actor, holder=_holder(organization, deployment), names=[key])
    for server in servers if gone else ():
        forget_at_runner(server, None, REVOKED)
    if gone:
        _settle(servers)  # where one that was held back is not needed
    return bool(gone)


def organization_credential_expire(
    *,
    actor: Actor,
    organization: Organization,
    setting: str,
    expires_at: datetime | None,
    deployment: Deployment | None = None,
) -> None:
    """Raises NotFound and BadInput."""
    check_may_administer(actor, organization)
    secret_expire(actor=actor, holder=_holder(organization, deployment), name=setting, expires_at=expires_at)
    _settle([deployment] if deployment is not None else servers_of(organization))


def _settle(servers: Iterable[Deployment]) -> None:
    for server in servers:
        queue.settle_waiting(server.pk)


def key_for(setting: str, known: Mapping[str, Declared]) -> str:
    """Of what is known by that key or name; otherwise a variable's."""
    if setting in known or ":" in setting:
        return setting
    return next((key for key, one in known.items() if setting in (one.name, one.flag)), f"env:{setting}")


def _holder(organization: Organization, deployment: Deployment | None) -> Holder:
    if deployment is None:
        return Holder.organization(organization.pk)
    if deployment.owner.organization_id != organization.pk:
        raise NotFound("deployment_unknown", gettext("The organization has no such server."))
    return Holder.organization(organization.pk, deployment.pk)
