"""When a user's account here is deleted: accounts elsewhere that were theirs are used no more and revoked there, and
what runs with them, or with their secrets, ends."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from accounts.models import User
from common.errors import NotFound
from events.actors import SYSTEM
from events.audit import record
from hosting import queue
from hosting.credentials.eliciting import forget_at_runner
from hosting.models import Deployment
from hosting.remotes.accounts import account_gone
from hosting.selectors import deployments
from hosting.services import deployment_locked
from oauth.models import Connection
from oauth.outbound.ending import connections_end
from vault.selectors import stored_for

LEFT: Final = "the account of its user was deleted"


@receiver(pre_delete, sender=User, dispatch_uid="accounts_of_user")
def accounts_end_of_user(sender: type[User], instance: User, **more: Any) -> None:
    """In the transaction that deletes the user: the rows go with theirs, and the tokens would be good without anybody
    who knows them."""
    User.objects.select_for_update().filter(pk=instance.pk).first()  # who keeps a token for them waits, and can't then
    mine = Connection.objects.filter(user=instance)
    issuers = sorted(set(mine.values_list("issuer", flat=True)))
    started = _started_with(instance.pk)
    for deployment in deployments().filter(pk__in=mine.filter(name="").values("subject_id")).order_by("pk"):
        _deployment_loses(deployment, instance)
    connections_end(mine)
    if issuers:
        record(SYSTEM, "user:end_accounts", "user", instance.pk, issuers=issuers)
        queue.tend_accounts()
    user_id = instance.pk  # of the instance it is taken away
    for deployment in started:
        transaction.on_commit(partial(forget_at_runner, deployment, user_id, LEFT), robust=True)


def _started_with(user_id: UUID) -> list[Deployment]:
    """Those that may have an instance with something of the user's."""
    connected = Connection.objects.filter(user_id=user_id).exclude(name="").values_list("subject_id", flat=True)
    secret = [holder.deployment_id for holder in stored_for(user_id, [])]
    return list(Deployment.objects.filter(pk__in={*connected, *secret}))


def _deployment_loses(deployment: Deployment, user: User) -> None:
    """The account that the user signed in with for all callers, of a deployment that stays: an organization's."""
    with contextlib.suppress(NotFound), transaction.atomic():
        locked = deployment_locked(deployment)
        rows = Connection.objects.filter(subject_id=locked.pk, name="", user=user)
        issuer = rows.values_list("issuer", flat=True).first()
        if issuer is not None and connections_end(rows):
            account_gone(locked, issuer, SYSTEM)
