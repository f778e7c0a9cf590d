"""What is stored for a server and which of it counts for one user, setting by setting. Never a value.

The order is that of `personal.holders_of`: the user's own, the organization's for this server, the organization's for
all of its servers; then, for what nobody has to bring, the owner's and the default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext

from accounts.permissions import CALLING, is_among, roles_of
from events.actors import Actor
from hosting.access.permissions import callable_by
from hosting.configuration.given import declared_of
from hosting.configuration.inputs import Plain, key_of, key_parts
from hosting.credentials.connecting import Need, needs_among
from hosting.credentials.personal import given_now, holders_of, is_needed, typed_inputs
from hosting.credentials.suspension import NOTHING, Shown, suspended_shown
from hosting.kinds.declared import Declared
from hosting.models import Deployment
from hosting.states import State
from oauth.models import Connection
from vault.given import judged
from vault.models import Secret
from vault.selectors import Stored, stored_for
from vault.services import Holder
from vault.uses import uses_counted

MAX_SERVERS = 200
_Scope = Secret.Scope
_Kept = Mapping[Holder, list[Stored]]


@dataclass(frozen=True)
class Source:
    """Where a value of a setting comes from: `scope` as in the vault, "owner" or "default" for what is not in it."""

    scope: str
    words: str
    stored: Stored | None = None
    uses: int = 0
    counts: bool = False
    is_suspended: bool = False  # it was given to something else than the server is now

    @property
    def name(self) -> str:
        """As people see it, where nothing declares it any more."""
        return key_parts(self.stored.name)[1] if self.stored is not None else ""

    @property
    def is_own(self) -> bool:
        return self.scope == _Scope.PERSONAL

    @property
    def expired_at(self) -> datetime | None:
        return self.stored.expires_at if self.stored is not None and self.stored.is_expired else None


@dataclass(frozen=True)
class Setting:
    """One that each user brings. `why` says in a sentence which of `sources` counts; none does where it is missing."""

    key: str
    declared: Declared
    sources: tuple[Source, ...]
    why: str

    @property
    def label(self) -> str:
        return self.declared.flag or self.declared.name

    @property
    def is_missing(self) -> bool:
        is_held = any(source.is_suspended for source in self.sources)
        return is_held or (is_needed(self.declared) and not any(source.counts for source in self.sources))

    @property
    def own(self) -> Source | None:
        return next((source for source in self.sources if source.is_own), None)

    @property
    def shared(self) -> Source | None:
        """The organization's that counts where the user brings none."""
        found = (source for source in self.sources if source.scope == _Scope.ORGANIZATION)
        return next((source for source in found if not source.expired_at and not source.is_suspended), None)


@dataclass(frozen=True)
class ServerCredentials:
    """`left` are values of the user's that the server asks for no more."""

    deployment: Deployment
    can_call: bool
    settings: tuple[Setting, ...] = ()
    left: tuple[Source, ...] = field(default=())
    accounts: tuple[Need, ...] = ()
    suspended: Shown = NOTHING

    @property
    def is_missing(self) -> bool:
        return any(setting.is_missing for setting in self.settings) or self.needs_account

    @property
    def needs_account(self) -> bool:
        return any(need.problem for need in self.accounts)

    @property
    def has_own(self) -> bool:
        return self.own_count > 0

    @property
    def own_count(self) -> int:
        """Values of the user's own, each of which can be deleted by itself."""
        return len(self.left) + sum(setting.own is not None for setting in self.settings)


def credentials_of(actor: Actor, deployment: Deployment) -> ServerCredentials:
    """Of one server, for the actor. Needs `owner` and `current_version` selected."""
    assert actor.user_id is not None
    organization = deployment.owner.organization_id
    kept = stored_for(actor.user_id, [organization] if organization else [])
    return _all_shown(actor, [deployment], kept)[0]


def credentials_page(actor: Actor) -> list[ServerCredentials]:
    """Of all servers that the actor stored something for, and of the actor's organizations that ask for something."""
    assert actor.user_id is not None
    own = stored_for(actor.user_id, ())
    mine = Q(owner__organization__memberships__user=actor.user_id, owner__organization__memberships__role__in=CALLING)
    connected = Connection.objects.filter(user=actor.user_id).exclude(name="")
    asking = Deployment.objects.filter(mine).exclude(personal_inputs=[]).values("pk")
    found = list(
        Deployment.objects.filter(
            Q(pk__in=[each.deployment_id for each in own]) | Q(pk__in=asking) | Q(pk__in=connected.values("subject_id"))
        )
        .exclude(state=State.DELETING)
        .select_related("owner", "current_version")
        .order_by("owner__folded", "folded_name")[:MAX_SERVERS]
    )
    organizations = {each.owner.organization_id for each in found if each.owner.organization_id}
    return _all_shown(actor, found, {**stored_for(None, organizations), **own})


@dataclass(frozen=True)
class _Read:
    """What is read at once for all servers that are shown: `roles` are the actor's in organizations."""

    kept: _Kept
    uses: Mapping[tuple[UUID, str, str], int]
    roles: Mapping[UUID, str]
    callable_ids: frozenset[UUID]
    needs: Mapping[UUID, list[Need]]


def _all_shown(actor: Actor, deployments: list[Deployment], kept: _Kept) -> list[ServerCredentials]:
    """In a number of queries that does not grow with them."""
    assert actor.user_id is not None
    shown = [each.pk for each in deployments]
    read = _Read(
        kept,
        uses_counted(shown, user_id=actor.user_id),
        roles_of(actor.user_id),
        frozenset(callable_by(actor.user_id).filter(pk__in=shown).values_list("pk", flat=True)),
        needs_among(actor.user_id, deployments),
    )
    return [_shown(actor, each, read) for each in deployments]


def _shown(actor: Actor, deployment: Deployment, read: _Read) -> ServerCredentials:
    assert actor.user_id is not None
    kept, uses = read.kept, read.uses
    is_member = is_among(actor.user_id, deployment.owner, read.roles)
    holders = holders_of(actor.user_id, deployment, is_member=is_member)
    wanted, now = typed_inputs(deployment, declared_of(deployment.current_version)), given_now(deployment)
    held = judged(((each, one) for each in holders for one in kept.get(each, ()) if one.name in now), now).suspended
    suspended = {(one.holder, one.name) for one in held}
    plain = Plain.from_json(deployment.inputs)
    owned = {*plain.values, *plain.sealed_at}

    def sources(key: str) -> Iterator[Source]:
        for holder in holders:
            for one in kept.get(holder, ()):
                if one.name == key:
                    times = uses.get((deployment.pk, key, holder.scope), 0)
                    waits = (holder, key) in suspended
                    yield Source(holder.scope, _whose(holder, deployment), one, times, is_suspended=waits)
        if key in owned:
            yield Source(
                "owner", gettext("%(owner)s’s, in the server’s settings") % {"owner": deployment.owner.display}
            )

    settings = tuple(_setting(key_of(one), one, tuple(sources(key_of(one)))) for one in wanted)
    asked = {setting.key for setting in settings}
    left = tuple(
        Source(holders[0].scope, gettext("yours"), one, uses.get((deployment.pk, one.name, holders[0].scope), 0))
        for one in kept.get(holders[0], ())
        if one.name not in asked
    )
    shown = suspended_shown(actor, held, read.roles) if held else NOTHING
    can_call = deployment.pk in read.callable_ids
    return ServerCredentials(deployment, can_call, settings, left, tuple(read.needs[deployment.pk]), shown)


def _whose(holder: Holder, deployment: Deployment) -> str:
    if holder.scope == _Scope.PERSONAL:
        return gettext("yours")
    words = gettext("%(owner)s’s, for all of its servers")
    if holder.deployment_id:
        words = gettext("%(owner)s’s, for this server")
    return words % {"owner": deployment.owner.display}


def _setting(key: str, one: Declared, found: tuple[Source, ...]) -> Setting:
    if one.default:
        found = (*found, Source("default", gettext("the default")))
    stands_in = _Scope.values if is_needed(one) else (*_Scope.values, "owner", "default")
    first = next((each for each in found if each.scope in stands_in and not each.expired_at), None)
    counting = None if first is not None and first.is_suspended else first  # nothing stands in for what is held back
    sources = tuple(replace(each, counts=each is counting) for each in found)
    return Setting(key, one, sources, _why(one, found, counting))


def _why(one: Declared, found: tuple[Source, ...], counting: Source | None) -> str:
    own = next((each for each in found if each.is_own), None)
    has_expired = own is not None and own.expired_at is not None
    if any(each.is_suspended for each in found):
        return gettext("The server is another one than it was given to, so it is held back until that is confirmed.")
    if counting is None:
        return " ".join(_why_missing(one, found, has_expired))
    if counting.is_own:
        return gettext("What you bring goes before everything else.") if len(found) > 1 else ""
    if has_expired:
        return gettext("This counts because yours has expired: %(which)s.") % {"which": counting.words}
    return gettext("This counts because you brought none: %(which)s.") % {"which": counting.words}


def _why_missing(one: Declared, found: tuple[Source, ...], has_expired: bool) -> Iterator[str]:
    if not is_needed(one):
        yield gettext("Nothing is set, and nothing is needed.")
        return
    if has_expired:
        yield gettext("Yours has expired. The next call asks for it again.")
    else:
        yield gettext("It is missing. The next call asks for it.")
    if any(each.scope == "owner" for each in found):
        yield gettext("The owner’s does not stand in for it.")
