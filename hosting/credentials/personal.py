"""Settings that each user of a deployment brings: which they are, what a user lacks, and what an instance is given.

A user's own value counts before one of the organization that owns the deployment (for its members), and that before the
owner's. What is required has to be brought: the owner's value does not stand in for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext

from accounts.permissions import member_ids
from common import clock
from common.errors import BadInput, NotFound
from events.actors import SYSTEM, Actor
from events.audit import record
from hosting import queue
from hosting.access.permissions import check_may_manage
from hosting.configuration import inputs
from hosting.configuration.given import declared_for, declared_of, package_of, settings_of
from hosting.configuration.inputs import Settings, key_of, key_parts
from hosting.credentials import accounts, bound
from hosting.credentials.accounts import Chosen
from hosting.fleet.placing import placement_renew
from hosting.kinds.declared import Declared, asked
from hosting.models import Deployment
from hosting.routing import OWN_ACCOUNT, remote_of, route_of, routed
from hosting.runner import control
from hosting.runner.placement import Personal, Remote
from hosting.services import deployment_locked
from hosting.states import State
from vault import services
from vault.given import Suspended, standing
from vault.services import Holder

MAX_PERSONAL = 50
NEEDS_USERS = "asleep: starts with what each user brings"


@dataclass(frozen=True)
class Brought:
    """What a user has of what each one brings. `mark` is another one whenever a value is; "" for none.

    What is suspended was given to something else than the server is now: it is missing until it is confirmed, also
    where it was not needed.
    """

    missing: tuple[Declared, ...]
    mark: str
    suspended: tuple[Suspended, ...] = ()

    @property
    def is_enough(self) -> bool:
        """Something was brought, and nothing is missing."""
        return bool(self.mark) and not self.missing


def personal_inputs(deployment: Deployment, declared: Iterable[Declared]) -> list[Declared]:
    """Those that each user brings, as they are declared; what only the owner named is a secret that is needed."""
    known = {key_of(one): one for one in asked(declared)}
    return [known.get(key) or _named(deployment, key) for key in deployment.personal_inputs]


def typed_inputs(deployment: Deployment, declared: Iterable[Declared]) -> list[Declared]:
    """Those of them that are typed: the rest are accounts, which are connected."""
    return [one for one in personal_inputs(deployment, declared) if key_of(one) not in deployment.personal_accounts]


def _named(deployment: Deployment, key: str) -> Declared:
    where, name = key_parts(key)
    if key == OWN_ACCOUNT:
        label = gettext("account at %(place)s") % {"place": accounts.place_of(deployment)}
        return Declared(name=name, where="account", flag=label, is_required=True, is_secret=True)
    return Declared(name=name, where="header" if where == "header" else "env", is_required=True, is_secret=True)


def is_needed(one: Declared) -> bool:
    return one.is_required and not one.default


def keys_of(deployment: Deployment, names: Iterable[str]) -> list[str]:
    """Names as people type them: of what is declared, otherwise of variables, or headers of a remote server."""
    known = {one.name: key_of(one) for one in asked(declared_for(deployment))}
    where = "header" if deployment.kind == "remote" else "env"
    return [known.get(name) or f"{where}:{name}" for name in names]


def accounts_chosen(deployment: Deployment, lines: Sequence[str]) -> dict[str, Chosen]:
    """By key, what an owner says in lines of NAME PROVIDER SCOPE…"""
    words = [line.split() for line in lines if line.strip()]
    keys = keys_of(deployment, [one[0] for one in words])
    return {key: Chosen(one[1] if len(one) > 1 else "", tuple(one[2:])) for key, one in zip(keys, words, strict=True)}


def is_needed_to_start(deployment_id: UUID) -> bool:
    """Whether it has no instance of anybody who brings nothing."""
    deployment = Deployment.objects.select_related("current_version").filter(pk=deployment_id).first()
    return deployment is not None and any(
        is_needed(one) for one in personal_inputs(deployment, declared_of(deployment.current_version))
    )


def personal_set(*, actor: Actor, deployment: Deployment, keys: Collection[str]) -> None:
    """Says which settings each user brings. Raises BadInput. What runs finishes as it began."""
    check_may_manage(actor, deployment)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        declared = declared_for(locked)
        _check(locked, declared, sorted(set(keys) - locked.personal_accounts.keys()))
        wanted = sorted({*keys, *locked.personal_accounts})
        if wanted == locked.personal_inputs:
            return
        Deployment.objects.filter(pk=locked.pk).update(personal_inputs=wanted, changed_at=clock.now())
        record(actor, "deployment:set_personal", "deployment", locked.pk, keys=wanted)
        queue.settle_waiting(locked.pk)
        if locked.current_version_id is not None:
            placement_renew(locked)
            if locked.state == State.FAILED:
                queue.inspect(locked.pk)


def _check(deployment: Deployment, declared: Sequence[Declared], keys: Sequence[str]) -> None:
    known = {key_of(one) for one in asked(declared)}
    version = deployment.current_version
    origin = _origin(str((version.remote or {}).get("url", "")) if version is not None else "")
    if len(keys) > MAX_PERSONAL:
        raise BadInput(
            "personal_too_many",
            gettext("Each user brings at most %(max_personal)s settings.") % {"max_personal": MAX_PERSONAL},
            field="personal_inputs",
        )
    for key in keys:
        where, name = key_parts(key)
        if (key not in known or where in ("env", "header")) and (problem := inputs.problem_of_name(key)):
            raise BadInput("personal_unknown", f"{name or key}: {problem}", field="personal_inputs")
        if where == "variable" and "{" + name + "}" in origin:
            words = "is a part of the address where the server is: whoever sets it could send keys elsewhere."
            raise BadInput("personal_origin", f"{name} {words}", field="personal_inputs")


def _origin(template: str) -> str:
    parts = urlsplit(template.replace("{", "%7B").replace("}", "%7D"))
    return parts.netloc.replace("%7B", "{").replace("%7D", "}")


# --- one user's


def holders_of(user_id: UUID, deployment: Deployment, *, is_member: bool | None = None) -> list[Holder]:
    """Whose values count for the user, the first one first. Needs `owner` selected.

    `is_member`: whether the owner is an organization whose members count the user among them, where that is known.
    """
    found = [Holder.personal(user_id, deployment.pk)]
    organization = deployment.owner.organization_id
    if is_member is None:
        is_member = organization is not None and user_id in member_ids(deployment.owner)
    if organization is not None and is_member:
        found += [Holder.organization(organization, deployment.pk), Holder.organization(organization)]
    return found


def brought_by(user_id: UUID, deployment: Deployment) -> Brought:
    """Needs `owner` and `current_version` selected."""
    given = given_now(deployment)
    if not given:
        return Brought((), "")
    found = standing(holders_of(user_id, deployment), accounts.typed_keys(deployment, given), given)
    connected = accounts.connected_by(user_id, deployment, given)
    suspended, present = {one.name for one in found.suspended}, found.names | connected.keys
    missing = tuple(
        one
        for one in personal_inputs(deployment, declared_of(deployment.current_version))
        if key_of(one) in suspended or (is_needed(one) and key_of(one) not in present)
    )
    return Brought(missing, accounts.mark_of(found.mark, connected.mark), found.suspended)


def given_now(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """By key, what each user gives theirs to, as the server is now. Needs `owner` and `current_version` selected."""
    version = deployment.current_version
    package = package_of(version) if version is not None else bound.package_of(deployment.reference)
    declared = declared_of(version)
    wanted = personal_inputs(deployment, declared)
    return bound.given_by_others(package, deployment.owner.folded, declared, wanted)


def brought_for(deployment_id: UUID | str, user_id: UUID | str) -> Brought:
    """Raises NotFound."""
    return brought_by(UUID(str(user_id)), _deployment(deployment_id))


def personal_for(deployment_id: UUID | str, user_id: UUID | str) -> control.PlacePersonal:
    """What the user's next instance is started with. Raises NotFound, and Conflict where a secret can't be opened."""
    deployment, person = _deployment(deployment_id), UUID(str(user_id))
    version, route = deployment.current_version, route_of(deployment)
    if version is None:
        raise _unknown()
    declared = declared_of(version)
    wanted = {key_of(one): one for one in personal_inputs(deployment, declared)}
    holders, now = holders_of(person, deployment), given_now(deployment)
    typed = accounts.typed_keys(deployment, wanted)
    connected = accounts.connected_by(person, deployment, now)
    mark = accounts.mark_of(standing(holders, typed, now).mark, connected.mark)
    own = services.secrets_use(actor=SYSTEM, holders=holders, names=typed, given_to=now)
    tokens = accounts.tokens_for(person, deployment, connected)
    base = settings_of(deployment)
    secret = frozenset(key for key in own if wanted[key].is_secret)
    given = Settings({**base.values, **own, **tokens}, base.arguments, base.secret_keys | secret)
    argv, env = inputs.command_of(version.argv, version.env, declared, given)
    files = inputs.files_of(declared, given, deployment.file_inputs)
    remote = remote_of(deployment, version, declared, given, person if OWN_ACCOUNT in connected.keys else None)
    if remote is not None and (remote.is_own or (not remote.bearer and _has_header({*own, *tokens}))):
        remote = msgspec.structs.replace(remote, credentials_page=f"{settings.SLIPWAY_URL}/credentials/")
    return control.PlacePersonal(
        deployment=route.deployment_id,
        epoch=route.epoch,
        generation=route.generation,
        personal=Personal(
            subject=str(person),
            mark=mark,
            argv=argv,
            env={name: value for name, value in env.items() if name not in files},
            files=files,
            remote=remote,
            masked=Settings(own, (), secret).masked,
            tokens=_tokens(tokens, remote),
        ),
    )


def _has_header(keys: Iterable[str]) -> bool:
    return any(key_parts(key)[0] == "header" for key in keys)


def _tokens(values: Mapping[str, str], remote: Remote | None) -> list[str]:
    """What must not be shown of accounts: the tokens themselves, without what a header says before them."""
    found = [value.removeprefix("Bearer ") for value in values.values()]
    return [*found, remote.bearer] if remote is not None and remote.is_own and remote.bearer else found


def _deployment(deployment_id: UUID | str) -> Deployment:
    found = routed().filter(pk=deployment_id).exclude(state=State.DELETING).first()
    if found is None:
        raise _unknown()
    return found


def _unknown() -> NotFound:
    return NotFound("deployment_unknown", gettext("There is no such server."))
