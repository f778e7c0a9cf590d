"""Putting secrets in, using them, taking them away. A value comes out in `secrets_use` only, on its way to an instance.

Whether the actor may touch a holder's secrets is for the layer above to say, which knows deployments; who acts is
written down here. Values, and digests of values, never reach the audit log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from common import clock
from common.errors import BadInput, Conflict
from events.actors import Actor
from events.audit import record
from vault import envelope, keys
from vault.envelope import BrokenError
from vault.models import Secret

MAX_VALUE: Final = 16 * 1024  # characters
MAX_OF_HOLDER: Final = 200
_LOCK: Final = 0x534C4950_0008  # any number that nobody else locks
_ONCE: Final = ("scope", "user", "organization", "deployment_id", "name")
_REPLACED: Final = ("version", "key_id", "wrapped", "body", "set_at", "expires_at", "used_at", "given_to")
_Scope = Secret.Scope
Given = Mapping[str, Mapping[str, Any]]  # by name: what a secret is given to, as plain JSON


class Bound(Protocol):
    """A secret, as far as it says what it was given to."""

    @property
    def name(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def deployment_id(self) -> UUID | None: ...
    @property
    def given_to(self) -> Any: ...


@dataclass(frozen=True)
class Holder:
    """Whose a secret is, and for which deployment; an organization's without one is for all of its own."""

    scope: str
    user_id: UUID | None = None
    organization_id: UUID | None = None
    deployment_id: UUID | None = None

    @classmethod
    def personal(cls, user_id: UUID, deployment_id: UUID) -> Holder:
        return cls(_Scope.PERSONAL, user_id=user_id, deployment_id=deployment_id)

    @classmethod
    def organization(cls, organization_id: UUID, deployment_id: UUID | None = None) -> Holder:
        return cls(_Scope.ORGANIZATION, organization_id=organization_id, deployment_id=deployment_id)

    @classmethod
    def deployment(cls, deployment_id: UUID) -> Holder:
        return cls(_Scope.DEPLOYMENT, deployment_id=deployment_id)

    @property
    def subject(self) -> tuple[str, UUID | None]:
        """What audit rows speak of."""
        return ("deployment", self.deployment_id) if self.deployment_id else ("organization", self.organization_id)

    @property
    def secrets(self) -> QuerySet[Secret]:
        whose: dict[str, Any] = {
            "user_id": self.user_id,
            "organization_id": self.organization_id,
            "deployment_id": self.deployment_id,
        }
        return Secret.objects.filter(scope=self.scope, **whose)


def problem_of(name: str, value: str) -> str:
    """What is wrong with a value, in words; "" for nothing."""
    if not value:
        return gettext("This is empty.")
    if len(value) > MAX_VALUE:
        return gettext("A secret has at most %(max_value)s characters; this one has %(count)s.") % {
            "max_value": MAX_VALUE,
            "count": len(value),
        }
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        return gettext("A secret can't have a NUL character or half a character in it.")
    if name.startswith("header:") and ("\r" in value or "\n" in value):
        return gettext("A header's value is one line.")  # RFC 9110, 5.5: a line break would begin another header
    return ""


def secrets_put(
    *,
    actor: Actor,
    holder: Holder,
    values: Mapping[str, str],
    expires_at: datetime | None = None,
    given_to: Given | None = None,
) -> None:
    """Sets or replaces, all or none. `given_to` says by name what each is given to, which `secrets_use` compares.

    Raises BadInput, whose detail says by name what is wrong.
    """
    if not values:
        return
    problems = {name: words for name, value in values.items() if (words := problem_of(name, value))}
    if problems:
        name, words = next(iter(problems.items()))
        raise BadInput("secret_invalid", f"{name}: {words}", field=name, detail=problems)
    provider, now = keys.provider(), clock.now()
    with transaction.atomic():
        vault_lock(is_shared=True)
        known = {row.name: row for row in holder.secrets.select_for_update().filter(name__in=values)}
        if holder.secrets.count() + len(values.keys() - known.keys()) > MAX_OF_HOLDER:
            raise BadInput(
                "secrets_too_many",
                gettext("At most %(max_of_holder)s secrets are kept for one server.")
                % {"max_of_holder": MAX_OF_HOLDER},
            )
        rows = []
        for name, value in values.items():
            row = known.get(name) or Secret(
                scope=holder.scope,
                user_id=holder.user_id,
                organization_id=holder.organization_id,
                deployment_id=holder.deployment_id,
                name=name,
                version=0,
            )
            row.version += 1
            sealed = envelope.seal(provider, row.place, value)
            row.key_id, row.wrapped, row.body = sealed.key_id, sealed.wrapped, sealed.body
            row.set_at, row.expires_at, row.used_at = now, expires_at, None
            row.given_to = (given_to or {}).get(name)
            rows.append(row)
        Secret.objects.bulk_create(rows, update_conflicts=True, update_fields=_REPLACED, unique_fields=_ONCE)
        _record(actor, "secret:put", holder, values)


def secrets_delete(*, actor: Actor, holder: Holder, names: Collection[str] | None = None) -> list[str]:
    """Those of these names, or all; the names that went."""
    with transaction.atomic():
        rows = holder.secrets.select_for_update()
        if names is not None:
            rows = rows.filter(name__in=[name for name in names if "\0" not in name])  # no column has one
        gone = sorted(row.name for row in rows)
        if gone:
            holder.secrets.filter(name__in=gone).delete()
            _record(actor, "secret:delete", holder, gone)
    return gone


def secrets_forget(*, actor: Actor, deployment_id: UUID) -> None:
    """The deployment is gone, and with it everybody's secrets for it."""
    with transaction.atomic():
        count, _ = Secret.objects.filter(deployment_id=deployment_id).delete()
        if count:
            record(actor, "secret:forget", "deployment", deployment_id, count=count)


def secrets_confirm(*, actor: Actor, holder: Holder, version: int, name: str, before: Any, now: Any) -> bool:
    """What was given to `before` is given to `now`. One conditional UPDATE: False where it is another value meanwhile,
    or was given to something else."""
    given = Q(given_to=before) if before is not None else Q(given_to__isnull=True)
    with transaction.atomic():
        if not holder.secrets.filter(given, name=name, version=version).update(given_to=now):
            return False
        _record(actor, "secret:confirm", holder, [name], before=before, now=now)
    return True


def secrets_use(
    *,
    actor: Actor,
    holders: Iterable[Holder],
    names: Collection[str] | None = None,
    given_to: Given | None = None,
) -> dict[str, str]:
    """Opened, by name, for the start of one instance: the first holder that has one counts. Expired ones don't.

    With `given_to`, what was given to anything else stays closed, and nothing of a later holder stands in for it.
    One audit row says which were used, and whose they are. Raises Conflict (secret_sealed).
    """
    holders = list(holders)
    with transaction.atomic():
        vault_lock(is_shared=True)
        found, used = _opened(holders, names, given_to)
        if used:
            # Another start that notes the same now is as good: nobody waits for anybody.
            free = Secret.objects.select_for_update(skip_locked=True).filter(pk__in=[row.pk for row in used])
            Secret.objects.filter(pk__in=free.values("pk")).update(used_at=clock.now())
            whose = {row.name: row.scope for row in used}
            deployment, user = _instance_of(holders)
            record(actor, "secret:use", "deployment", deployment, secrets=whose, user=user)
    return found


def _opened(
    holders: Iterable[Holder], names: Collection[str] | None, given_to: Given | None
) -> tuple[dict[str, str], list[Secret]]:
    found: dict[str, str] = {}
    used: list[Secret] = []
    seen: set[str] = set()
    provider, now = keys.provider(), clock.now()
    for holder in holders:
        rows = holder.secrets.filter(Q(expires_at=None) | Q(expires_at__gt=now))
        for row in rows if names is None else rows.filter(name__in=names):
            if row.name in seen:
                continue
            seen.add(row.name)
            if not is_given(row, given_to):
                continue
            try:
                found[row.name] = envelope.unseal(provider, row.place, row.envelope)
            except BrokenError:
                raise Conflict(
                    "secret_sealed",
                    gettext(
                        "A stored credential (%(name)s) can't be opened any more: the vault's key is another "
                        "one now, or the row was altered. Enter it again on the page Credentials."
                    )
                    % {"name": row.name},
                ) from None
            used.append(row)
    return found, used


def is_given(one: Bound, given_to: Given | None) -> bool:
    """Whether it may come out for what is named there; None: whoever asks does not care. What an organization keeps for
    all of its servers is given to all of them."""
    is_for_all = one.scope == _Scope.ORGANIZATION and one.deployment_id is None
    return given_to is None or is_for_all or (one.given_to is not None and one.given_to == given_to.get(one.name))


def _instance_of(holders: Iterable[Holder]) -> tuple[str, str]:
    """Of which deployment it is, and whose; an organization's secret for all of its servers says neither by itself."""
    deployments = (str(each.deployment_id) for each in holders if each.deployment_id)
    users = (str(each.user_id) for each in holders if each.user_id)
    return next(deployments, ""), next(users, "")


def _record(actor: Actor, action: str, holder: Holder, names: Iterable[str], **more: Any) -> None:
    data: dict[str, Any] = {"scope": str(holder.scope), "names": sorted(names), **more}
    if holder.user_id is not None:
        data["user"] = str(holder.user_id)
    record(actor, action, *holder.subject, **data)


def vault_lock(*, is_shared: bool) -> None:
    """Whoever seals or opens holds it together with others; who drops keys holds it alone: no row names one of them."""
    function = "pg_advisory_xact_lock_shared" if is_shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [_LOCK])
