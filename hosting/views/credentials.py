"""What a person has stored here for servers, and what still waits for them. Never a value."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from common import clock
from events.actors import Actor
from hosting.credentials import eliciting
from hosting.inputs import key_parts
from hosting.models import Deployment, Elicitation
from hosting.permissions import may_call
from hosting.views.page import actor_of, user_of
from vault.selectors import Stored, stored_of_user

OWN_PAGE = "site"  # in the place of a client's id: the user came by the page itself


@never_cache
@login_required
@require_safe
def credentials_page(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    waiting = (
        Elicitation.objects.select_related("deployment__owner")
        .filter(user=user, state=Elicitation.State.OPEN, expires_at__gt=clock.now())
        .exclude(client_id=OWN_PAGE)
    )
    rows = _rows(actor_of(request), stored_of_user(user.pk))
    return render(request, "hosting/credentials.html", {"rows": rows, "waiting": waiting})


def _rows(actor: Actor, kept: list[Stored]) -> list[dict[str, Any]]:
    """By server; what was stored for one that is gone went with it."""
    ids = {one.deployment_id for one in kept if one.deployment_id}
    servers = Deployment.objects.select_related("owner").in_bulk(ids)
    rows: dict[UUID, dict[str, Any]] = {}
    for one in kept:
        deployment = servers.get(one.deployment_id) if one.deployment_id else None
        if deployment is not None:
            fresh = {"deployment": deployment, "stored": [], "can_call": may_call(actor, deployment)}
            rows.setdefault(deployment.pk, fresh)["stored"].append((key_parts(one.name)[1], one))
    return list(rows.values())


@never_cache
@login_required
@require_POST
def replace(request: HttpRequest, deployment_id: UUID) -> HttpResponse:
    """To the form, for a server that the person may call; the same as for one that asked."""
    deployment = Deployment.objects.select_related("owner").filter(pk=deployment_id).first()
    if deployment is None or not deployment.personal_inputs or not may_call(actor_of(request), deployment):
        raise eliciting.unknown_server()
    found = eliciting.elicitation_open(user_id=user_of(request).pk, client_id=OWN_PAGE, deployment_id=deployment.pk)
    return redirect("elicit", found.pk)


@never_cache
@login_required
@require_POST
def revoke(request: HttpRequest, deployment_id: UUID) -> HttpResponse:
    gone = eliciting.credentials_revoke(actor=actor_of(request), deployment_id=deployment_id)
    if gone:
        messages.success(request, "They were deleted, and what ran with them was ended.")
    else:
        messages.warning(request, "Nothing of yours is stored for that server.")
    return redirect("credentials")
