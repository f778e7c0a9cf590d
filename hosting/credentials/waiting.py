"""Calls that wait for their user's credentials as tasks: how one begins to wait, and what its client may answer.

The page's row is locked while a task begins to wait for it, so that none waits for a page that has just ended. What the
end does to them is in `eliciting` and `hosting.tasks.lacking`.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils.translation import gettext

from common import clock
from common.errors import BadInput, NotFound, Unavailable
from events.actors import Actor, person
from hosting import queue
from hosting.credentials import eliciting
from hosting.credentials.personal import brought_by, brought_for
from hosting.credentials.refusals import DISMISSED
from hosting.models import Deployment, Elicitation, Task
from hosting.tasks import lacking
from hosting.tasks.accepting import Lacking, Wanted, task_create, task_create_lacking
from hosting.tasks.states import State
from vault.expiry import check_expiry, secret_expire
from vault.services import Holder

_decode = msgspec.json.Decoder().decode


def asking_words(user_id: UUID, deployment: Deployment) -> str:
    """What clients and people are told. Needs `owner` and `current_version` selected."""
    needs = "needs credentials of your own. Type"
    if brought_by(user_id, deployment).suspended:
        needs = (
            "has changed since you gave it credentials, so it does not get them any more. Look at what is different, "
            "and confirm or type"
        )
    return (
        f"{deployment.label} {needs} them on this page of the site that hosts it: they do not pass through this "
        "program, and nobody else uses them."
    )


def task_create_waiting(wanted: Wanted, *, asks_by_url: bool, runner_address: str = "") -> Task:
    """A call whose user lacks something, as a task. `asks_by_url`: its client is asked to open the page, otherwise told
    in words. `runner_address` is where its session is told of the end, "" for no session that may be."""
    assert wanted.user_id is not None
    is_2025 = wanted.origin == Task.Origin.LEGACY
    with transaction.atomic():
        page = _locked(
            user_id=wanted.user_id,
            client_id=wanted.client,
            deployment_id=UUID(wanted.deployment_id),
            session=wanted.session if runner_address else "",
            runner_address=runner_address,
        )
        if page is None:
            return task_create(wanted)
        if wanted.origin == Task.Origin.HANDED_OFF and (same := _same(wanted, page)) is not None:
            return same
        return task_create_lacking(wanted, _lacking(page, asks_by_url=asks_by_url, has_id=is_2025))


def task_waits(task: Task) -> bool:
    """Whether a task that was to start has to wait first: its user lacks something. Raises NotFound and Unavailable."""
    if task.user_id is None or not brought_for(task.deployment_id, task.user_id).missing:
        return False
    with transaction.atomic():
        page = _locked(user_id=task.user_id, client_id=task.client, deployment_id=task.deployment_id)
        if page is None:
            raise Unavailable("page_over", gettext("What its user lacks has changed just now."))
        return lacking.task_lacks(task, _lacking(page, asks_by_url=False))


def waiting_settle(deployment_id: UUID) -> None:
    """Something of the server's is not what it was: who waits for it and lacks nothing any more goes on."""
    pages = Elicitation.objects.filter(deployment_id=deployment_id, state=Elicitation.State.OPEN)
    for user_id in pages.order_by().values_list("user_id", flat=True).distinct():
        with contextlib.suppress(NotFound):  # the server is being deleted
            if not brought_for(deployment_id, user_id).missing:
                eliciting.elicitations_done(user_id=user_id, deployment_id=deployment_id)


def credential_put(
    *, actor: Actor, deployment: Deployment, key: str, value: str, expires_at: datetime | None = None
) -> None:
    """Stores one for the actor who is at no page; what waits for it goes on. Raises BadInput."""
    check_expiry(expires_at)
    problems = eliciting.credentials_put(actor=actor, deployment=deployment, values={key: value}, expires_at=expires_at)
    if problems:
        raise BadInput("secret_invalid", problems[key], field="value")
    queue.settle_waiting(deployment.pk)


def credential_expire(*, actor: Actor, deployment_id: UUID, key: str, expires_at: datetime | None) -> None:
    """Says when one of the actor's own stops counting; None: never. Calls that wait for it go on where it counts again.
    Raises NotFound and BadInput."""
    assert actor.user_id is not None
    secret_expire(actor=actor, holder=Holder.personal(actor.user_id, deployment_id), name=key, expires_at=expires_at)
    queue.settle_waiting(deployment_id)


def question_answer(task: Task, action: str) -> None:
    """What the client of a waiting task says of its user: `accept`, `decline`, or `cancel` (as which any other counts).

    To accept is to open the page, no more: the task waits on (2025-11-25 client/elicitation, "URL Mode").
    """
    if action == "accept":
        lacking.question_taken(task)
    elif action != "decline":
        lacking.task_refuse(task, DISMISSED)
    elif task.user_id is not None and task.elicitation_id is not None:
        actor = person(task.user_id)
        found = eliciting.elicitation_of(actor, task.elicitation_id)
        eliciting.elicitation_decline(actor=actor, elicitation=found)


def _locked(**whose: Any) -> Elicitation | None:
    """The open page, locked; None where it ended in between: who asks then looks again."""
    page = eliciting.elicitation_open(**whose)
    is_open = {"state": Elicitation.State.OPEN, "expires_at__gt": clock.now()}
    return Elicitation.objects.select_for_update().filter(pk=page.pk, **is_open).first()


def _same(wanted: Wanted, page: Elicitation) -> Task | None:
    """The task of the same call, made before by a client that knows no tasks: calling again is all that it can do."""
    waiting = Task.objects.filter(elicitation=page, state=State.LACKING, tool=wanted.tool, origin=wanted.origin)
    given = _decode(wanted.params.encode()).get("arguments")
    return next((task for task in waiting if _decode(task.params.encode()).get("arguments") == given), None)


def _lacking(page: Elicitation, *, asks_by_url: bool, has_id: bool = False) -> Lacking:
    """`has_id`: for a revision in which a question in URL mode has an id of its own."""
    deployment = Deployment.objects.select_related("owner", "current_version").get(pk=page.deployment_id)
    message, url = asking_words(page.user_id, deployment), eliciting.elicitation_url(page)
    if not asks_by_url:
        return Lacking(page.pk, f"{message} {url}")
    params = {"mode": "url", "url": url, "message": message}
    if has_id:
        params["elicitationId"] = page.pk
    return Lacking(page.pk, f"{message} {url}", {"method": "elicitation/create", "params": params})
