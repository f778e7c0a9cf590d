"""What a person has stored here for servers: which of it counts, since when, how often it was used. Never a value."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from common.errors import AppError
from hosting.access.permissions import may_call
from hosting.configuration.inputs import key_parts
from hosting.credentials import eliciting, waiting
from hosting.credentials.overview import credentials_page as credentials_shown
from hosting.forms.expiry import SPANS, ExpiryForm
from hosting.models import Deployment
from hosting.views.page import actor_of, user_of
from vault.uses import uses_of

USES_SHOWN = 50


@never_cache
@login_required
@require_safe
def credentials_page(request: HttpRequest) -> HttpResponse:
    servers = credentials_shown(actor_of(request))
    return render(request, "hosting/credentials.html", {"servers": servers, "spans": SPANS})


@never_cache
@login_required
@require_POST
def replace(request: HttpRequest, deployment_id: UUID) -> HttpResponse:
    """To the form, for a server that the person may call; the same as for one that asked."""
    deployment = Deployment.objects.select_related("owner").filter(pk=deployment_id).first()
    if deployment is None or not deployment.personal_inputs or not may_call(actor_of(request), deployment):
        raise eliciting.unknown_server()
    found = eliciting.elicitation_open(
        user_id=user_of(request).pk, client_id=eliciting.OWN_PAGE, deployment_id=deployment.pk
    )
    return redirect("elicit", found.pk)


@never_cache
@login_required
@require_POST
def revoke(request: HttpRequest, deployment_id: UUID) -> HttpResponse:
    """The one that `name` says, or all for that server."""
    names = [request.POST["name"]] if "name" in request.POST else None
    gone = eliciting.credentials_revoke(actor=actor_of(request), deployment_id=deployment_id, names=names)
    if gone:
        words = ngettext(
            "It was deleted, and what ran with it was ended.",
            "They were deleted, and what ran with them was ended.",
            len(gone),
        )
        messages.success(request, words)
    else:
        messages.warning(request, gettext("Nothing of yours is stored there."))
    return redirect("credentials")


@never_cache
@login_required
@require_POST
def expire(request: HttpRequest, deployment_id: UUID) -> HttpResponse:
    form = ExpiryForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("Choose one of the spans."))
        return redirect("credentials")
    given = form.cleaned_data
    try:
        waiting.credential_expire(
            actor=actor_of(request), deployment_id=deployment_id, key=given["name"], expires_at=given["expires"]
        )
    except AppError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, gettext("Saved."))
    return redirect("credentials")


@never_cache
@login_required
@require_safe
def uses(request: HttpRequest, deployment_id: UUID) -> HttpResponse:
    """The starts of the person's own instances of one server with one setting, the organization's values included."""
    deployment = Deployment.objects.select_related("owner").filter(pk=deployment_id).first()
    if deployment is None:
        raise eliciting.unknown_server()
    key = request.GET.get("name", "")[:200].replace("\0", "")
    before = _id(request.GET.get("before", ""))
    found = uses_of(deployment.pk, key, user_id=user_of(request).pk, before=before, limit=USES_SHOWN + 1)
    if not found and not may_call(actor_of(request), deployment):
        raise eliciting.unknown_server()
    context = {
        "deployment": deployment,
        "key": key,
        "name": key_parts(key)[1],
        "rows": found[:USES_SHOWN],
        "older": found[USES_SHOWN - 1].id if len(found) > USES_SHOWN else None,
    }
    return render(request, "hosting/credential_uses.html", context)


def _id(text: str) -> UUID | None:
    """An unreadable cursor starts at the newest."""
    try:
        return UUID(text)
    except ValueError:
        return None
