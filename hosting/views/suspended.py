"""Confirming or deleting, on the page Credentials, what waits because a server has changed."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.reauthentication import check_present
from common.errors import AppError
from events.actors import Actor
from hosting.access.permissions import may_call
from hosting.credentials import eliciting
from hosting.credentials.suspension import suspended_confirm, suspended_delete, suspended_of
from hosting.models import Deployment
from hosting.states import State
from hosting.views.page import actor_of

CONFIRM, FORGET = "confirm", "forget"


@never_cache
@login_required
@require_POST
def suspended(request: HttpRequest, deployment_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    deployment = _known(actor, deployment_id)
    try:
        messages.success(request, suspended_answered(request, actor, deployment))
    except AppError as error:
        messages.error(request, error.message)
    return redirect("credentials")


def suspended_answered(request: HttpRequest, actor: Actor, deployment: Deployment) -> str:
    """Does what the button says; what was done, in words. Raises Conflict where that was not what is different now."""
    if request.POST.get("action") == FORGET:
        suspended_delete(actor=actor, deployment=deployment)
        return gettext("They were deleted.")
    if suspended_of(actor, deployment).has_organizations:
        check_present(request)
    suspended_confirm(actor=actor, deployment=deployment, mark=request.POST.get("mark", ""))
    return gettext("Confirmed. The next call uses them again.")


def _known(actor: Actor, deployment_id: UUID) -> Deployment:
    """What a person may not call, or not any more, they can still not confirm anything for."""
    rows = Deployment.objects.select_related("owner", "current_version").exclude(state=State.DELETING)
    found = rows.filter(pk=deployment_id).first()
    if found is None or not may_call(actor, found):
        raise eliciting.unknown_server()
    return found
