"""Third parties at which people have accounts: the operator's for the whole site, an owner's for one server."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.reauthentication import confirm_url
from common.errors import AppError
from common.http import add_error
from events.actors import Actor
from hosting import queue
from hosting.forms.providers import ProviderForm
from hosting.views.page import Page, actor_of, page_view
from hosting.views.settings_sections import PARTS
from oauth.outbound import identity, providers
from oauth.outbound.flow import site_peer

_FORM = "provider"  # the fragment


@never_cache
@sensitive_post_parameters("client_secret")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_providers(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    providers.check_may_configure(actor, None)
    answer = _answer(request, actor, None)
    if isinstance(answer, HttpResponse):
        return answer
    return render(request, "hosting/site_providers.html", answer, status=answer["status"])


@sensitive_post_parameters("client_secret")
@page_view(managed=True)
def server_providers(page: Page) -> HttpResponse:
    answer = _answer(page.request, page.actor, page.deployment.pk)
    if isinstance(answer, HttpResponse):
        return answer
    part = PARTS["providers"]
    return page.show(part.template, "settings", part=part, parts=PARTS.values(), **answer)


def _answer(request: HttpRequest, actor: Actor, subject_id: UUID | None) -> HttpResponse | dict[str, Any]:
    """Where the browser goes after a change, or what the page shows."""
    action = request.POST.get("action", "")
    confirm = confirm_url(request, _FORM)
    if action == "remove":
        return _removed(request, actor, subject_id)
    if action == "put" and confirm:
        return redirect(confirm)
    found = list(providers.providers_of(subject_id))
    connected = providers.connected_counts(found)
    chosen = next((one for one in found if one.name == request.GET.get("name")), None)
    initial = ProviderForm.initial_of(chosen) if chosen is not None else {}
    form = ProviderForm(request.POST if action == "put" else None, initial=initial, auto_id="provider_%s")
    if form.is_valid() and _put(request, actor, subject_id, form):
        return redirect(request.path)
    return {
        "providers": [
            (one, identity.redirect_uri(providers.server_of(one)), connected.get(one.pk, 0)) for one in found
        ],
        "form": form,
        "chosen": chosen,
        "confirm_url": confirm,
        "status": 400 if form.is_bound else 200,
    }


def _put(request: HttpRequest, actor: Actor, subject_id: UUID | None, form: ProviderForm) -> bool:
    try:
        found = providers.provider_put(site_peer(), actor=actor, subject_id=subject_id, wanted=form.wanted())
    except AppError as error:
        add_error(form, error)
        return False
    messages.success(request, gettext("%(provider)s is saved.") % {"provider": found.title})
    return True


def _removed(request: HttpRequest, actor: Actor, subject_id: UUID | None) -> HttpResponse:
    found = providers.provider_named(subject_id, request.POST.get("name", "")[:40].replace("\0", ""))
    if providers.provider_remove(actor=actor, provider=found):
        queue.tend_accounts()
    messages.success(
        request,
        gettext("%(provider)s was removed. What was connected there is used no more.") % {"provider": found.title},
    )
    return redirect(request.path)
