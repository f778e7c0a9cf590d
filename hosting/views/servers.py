"""Pages of all of a person's deployments, and the form that makes one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.selectors import names_owned_by
from common.errors import AppError
from common.http import add_error
from events.actors import Actor
from hosting import selectors
from hosting.forms.host import HostForm
from hosting.making import Origin, Upload, deployment_make
from hosting.models import Deployment
from hosting.views.page import actor_of, user_of

HOME_ROWS = 5


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    user = request.user
    rows = list(selectors.deployments_of(user)[:HOME_ROWS]) if isinstance(user, User) else []
    return render(request, "home.html", {"deployments": rows})


@never_cache
@login_required
@require_safe
def my_servers(request: HttpRequest) -> HttpResponse:
    return render(request, "hosting/my_servers.html", {"deployments": list(selectors.deployments_of(user_of(request)))})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    is_sent = request.method == "POST"
    form = HostForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        owners=names_owned_by(user_of(request)),
        initial={"reference": request.GET.get("reference", "")},
    )
    if is_sent and form.is_valid():
        try:
            deployment = _host(actor_of(request), form.cleaned_data)
        except AppError as error:
            add_error(form, error)
        else:
            return redirect("hosting:deployment", deployment.owner.folded, deployment.folded_name)
    return render(request, "hosting/new.html", {"form": form}, status=400 if form.is_bound else 200)


def _host(actor: Actor, given: dict[str, Any]) -> Deployment:
    upload, owner = given.pop("source"), given.pop("owner")
    origin = Origin(
        reference=given.pop("reference"), upload=Upload(upload.name, upload.read()) if upload is not None else None
    )
    return deployment_make(actor=actor, owner=owner.folded, origin=origin, **given)
