"""Settings that are accounts: which each user connects at a third party, or at the remote server itself.

Such a setting is never typed. Its token is a value of that user's own instance like any other: a new token is another
mark, so that what begins with it has another instance. A remote server's own token is the exception: connections that
run are given the new one (`hosting.remotes.care`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext

from common import clock
from common.errors import BadInput, Conflict
from events.actors import SYSTEM, Actor
from events.audit import record
from hosting import queue
from hosting.access.permissions import check_may_manage
from hosting.configuration import inputs
from hosting.configuration.inputs import key_parts
from hosting.credentials import bound
from hosting.fleet.placing import placement_renew
from hosting.models import Deployment
from hosting.reasons import in_words
from hosting.routing import OWN_ACCOUNT
from hosting.services import deployment_locked
from hosting.states import State
from oauth.models import Connection, Provider
from oauth.outbound import connections, providers, using
from oauth.outbound.discovery import host_of
from oauth.outbound.ending import connections_end
from oauth.outbound.flow import site_peer

MAX_ACCOUNTS = 20
Given = Mapping[str, Mapping[str, Any]]  # by key, what a setting's value is given to (bound.given_by_others)
PLACES = ("env", "header")


@dataclass(frozen=True)
class Account:
    """What one setting is. Without a provider it is OWN_ACCOUNT, or its provider was removed."""

    key: str
    provider: Provider | None
    scopes: tuple[str, ...]

    @property
    def is_remote(self) -> bool:
        return self.key == OWN_ACCOUNT


@dataclass(frozen=True)
class Connected:
    """What a user has of the accounts: the settings that are served, and a mark that is another one with each token;
    not with a remote server's own, of which sessions that stand are given the next one."""

    keys: frozenset[str] = frozenset()
    mark: str = ""


@dataclass(frozen=True)
class Chosen:
    """What an owner says of one setting."""

    provider: str
    scopes: tuple[str, ...] = ()


def accounts_of(deployment: Deployment) -> list[Account]:
    """By key."""
    return accounts_among([deployment])[deployment.pk]


def accounts_among(deployments: Iterable[Deployment]) -> dict[UUID, list[Account]]:
    """The same of many, by their ids."""
    kept: dict[UUID, Mapping[str, Mapping[str, Any]]] = {each.pk: each.personal_accounts for each in deployments}
    some = [pk for pk, accounts in kept.items() if accounts]
    known = {str(one.pk): one for one in providers.providers_among(some)} if some else {}

    def account(pk: UUID, key: str, one: Mapping[str, Any]) -> Account:
        provider = known.get(one.get("provider", ""))
        if provider is not None and provider.subject_id not in (pk, None):
            provider = None
        return Account(key, provider, tuple(one.get("scopes") or (provider.scopes if provider is not None else ())))

    return {pk: [account(pk, key, one) for key, one in sorted(of.items())] for pk, of in kept.items()}


def chosen_now(deployment: Deployment) -> dict[str, Chosen]:
    """What its owner said, by key; of the remote server's own there is nothing to say."""
    kept = deployment.personal_accounts
    return {
        one.key: Chosen(one.provider.name if one.provider is not None else "", tuple(kept[one.key].get("scopes", ())))
        for one in accounts_of(deployment)
        if not one.is_remote
    }


def problem_of(account: Account, row: Connection | None, now: Given) -> str:
    """Why its user has to connect it, in words; "" for no reason. `now`: what its token would be given to."""
    if account.provider is None and not account.is_remote:
        return gettext("The provider that this server named is gone. Its owner has to name another one.")
    if row is None:
        return gettext("Not connected yet.")
    if row.state != Connection.State.CONNECTED:
        return gettext("It needs you again: %(reason)s.") % {"reason": in_words(row.reason)}
    if account.provider is not None and (row.provider_id, row.client_id) != (
        account.provider.pk,
        account.provider.client_id,
    ):
        return gettext("This server wants another account now than the one that you connected.")
    if changes := list(bound.differences(row.given_to, now.get(account.key, {}))):
        change = gettext("%(what)s: %(before)s, now %(after)s")
        said = "; ".join(change % {"what": what, "before": before, "after": after} for what, before, after in changes)
        return gettext("This is not the server any more that you connected it for (%(changes)s).") % {"changes": said}
    more = [scope for scope in account.scopes if scope not in row.requested_scopes] + list(row.asked_scopes)
    return gettext("More is wanted than you agreed to: %(scopes)s.") % {"scopes": ", ".join(more)} if more else ""


def connected_by(user_id: UUID, deployment: Deployment, now: Given) -> Connected:
    """Tokens that have expired are refreshed first, so that the mark is of what an instance would be given."""
    wanted = accounts_of(deployment)
    rows = connections.connections_of(deployment.pk, user_id) if wanted else {}
    keys, marks = set(), []
    for account in wanted:
        row = rows.get(account.key)
        if row is None or problem_of(account, row, now):
            continue
        current = using.connection_current(site_peer(), row)
        if current is not None:
            keys.add(account.key)
            marks.append(f"{row.issuer} {row.server_url}" if account.is_remote else f"{row.pk}.{current.serial}")
    return Connected(frozenset(keys), "|".join(marks))


def tokens_for(user_id: UUID, deployment: Deployment, connected: Connected) -> dict[str, str]:
    """The values of these settings for the start of one instance, by key, with one audit row. A remote server's own
    token is in that row only: `routing.remote_of` has it."""
    rows = connections.connections_of(deployment.pk, user_id) if connected.keys else {}
    found: dict[str, str] = {}
    used = connected.keys & rows.keys()
    for key in sorted(used - {OWN_ACCOUNT}):
        bearer = using.bearer_of(site_peer(), rows[key])
        if bearer is not None:
            found[key] = _value(key, bearer.token)
    if issuers := {key: rows[key].issuer for key in used if key in found or key == OWN_ACCOUNT}:
        record(SYSTEM, "account:use", "deployment", deployment.pk, accounts=issuers, user=str(user_id))
    return found


def _value(key: str, token: str) -> str:
    """RFC 6750, 2.1, where it is the header of that name; elsewhere servers want the token alone."""
    return f"Bearer {token}" if key.lower() == "header:authorization" else token


def mark_of(*marks: str) -> str:
    """One for all; "" where there is none."""
    if not any(marks[1:]):
        return marks[0]
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:32]


# --- which settings they are


def accounts_set(*, actor: Actor, deployment: Deployment, chosen: Mapping[str, Chosen], is_own: bool) -> None:
    """Says which settings ("where:name") are accounts, and whether each user signs in to a remote server.

    Raises BadInput. What was connected for a setting that is none any more is ended.
    """
    check_may_manage(actor, deployment)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        kept = _checked(locked, chosen)
        if is_own:
            _check_own(locked)
            kept[OWN_ACCOUNT] = {"provider": "", "scopes": []}
        if kept == locked.personal_accounts:
            return
        typed = [key for key in locked.personal_inputs if key not in locked.personal_accounts]
        gone = locked.personal_accounts.keys() - kept.keys()
        Deployment.objects.filter(pk=locked.pk).update(
            personal_accounts=kept, personal_inputs=sorted({*typed, *kept}), changed_at=clock.now()
        )
        if connections_end(Connection.objects.filter(subject_id=locked.pk, name__in=gone)):
            queue.tend_accounts()
        record(actor, "deployment:set_accounts", "deployment", locked.pk, accounts=kept)
        queue.settle_waiting(locked.pk)
        if locked.current_version_id is not None:
            placement_renew(locked)
            if locked.state == State.FAILED:
                queue.inspect(locked.pk)


def _checked(deployment: Deployment, chosen: Mapping[str, Chosen]) -> dict[str, Any]:
    if len(chosen) > MAX_ACCOUNTS:
        raise _bad(f"Each user connects at most {MAX_ACCOUNTS} accounts.")
    known: dict[str, Provider] = {}
    for provider in providers.providers_for(deployment.pk):  # its own come first
        known.setdefault(provider.name, provider)
    kept: dict[str, Any] = {}
    for key, one in chosen.items():
        where, name = key_parts(key)
        words = inputs.problem_of_name(key) if where in PLACES else gettext("An account is a variable or a header.")
        if words:
            raise _bad(f"{name or key}: {words}")
        if one.provider not in known:
            words = gettext("%(setting)s: there is no provider “%(provider)s”. There are: %(providers)s.")
            there = ", ".join(known) or gettext("none yet")
            raise _bad(words % {"setting": name, "provider": one.provider, "providers": there})
        providers.check_scopes(one.scopes)
        kept[key] = {"provider": str(known[one.provider].pk), "scopes": list(dict.fromkeys(one.scopes))}
    return kept


def _check_own(deployment: Deployment) -> None:
    if deployment.kind != "remote":
        raise Conflict("not_remote", gettext("Only servers that run elsewhere have users sign in there."))
    if any(key_parts(key)[0] == "variable" for key in deployment.personal_inputs):
        raise _bad("Its address has parts that each user types, so there is no one address to sign in to.")


def _bad(words: str) -> BadInput:
    return BadInput("accounts_invalid", words, field="personal_accounts")


def place_of(deployment: Deployment) -> str:
    """Where a remote server's users sign in, as far as it is known without asking: its own host."""
    version = deployment.current_version
    return host_of(str((version.remote or {}).get("url", ""))) if version is not None else ""


def typed_keys(deployment: Deployment, keys: Iterable[str]) -> list[str]:
    return [key for key in keys if key not in deployment.personal_accounts]
