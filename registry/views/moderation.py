"""Reporting a server, how a held name stands, and the page where operators decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from common.errors import AppError, BadInput, NotFound
from common.http import add_error
from events.actors import Actor, person
from registry import selectors
from registry.forms import ReportForm, TakeDownForm
from registry.models import HeldName, Report, Server
from registry.moderation import services
from registry.views.page import server_url

SHOWN = 100


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, name: str) -> HttpResponse:
    shown = selectors.server_shown(name)
    form = ReportForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            services.report_make(actor=_actor(request), name=name, **form.cleaned_data)
        except AppError as error:
            add_error(form, error)
        else:
            messages.success(request, gettext("Thank you. An operator of this site will look at it."))
            return redirect(server_url(name))
    context = {"form": form, "server": shown.server}
    return render(request, "registry/report.html", context, status=400 if form.is_bound else 200)


@never_cache
@require_safe
def review(request: HttpRequest, name: str) -> HttpResponse:
    """Anybody with the address may see how it stands: whoever was refused got it from the API, without a session."""
    held = HeldName.objects.filter(name=name).first() if "\0" not in name else None
    if held is None:
        raise NotFound("name_not_held", gettext("This name is not held. If you were told so, publish again."))
    return render(request, "registry/review.html", {"held": held, "may_moderate": _may(request)})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def moderation(request: HttpRequest) -> HttpResponse:
    if not _may(request):
        raise NotFound("page_unknown", gettext("There is no such page."))
    form = TakeDownForm(initial={"name": request.GET.get("name", "")})
    if request.method == "POST":
        action = request.POST.get("action", "")
        if action == "take_down":
            form = TakeDownForm(request.POST)
            if not form.is_valid():
                return _moderation_page(request, form, status=400)
        try:
            done = _decide(_actor(request), action, request.POST.dict())
        except AppError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, done)
        return redirect("registry:moderation")
    return _moderation_page(request, form)


def _moderation_page(request: HttpRequest, form: TakeDownForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "reports": Report.objects.filter(closed_at=None).select_related("server", "reporter")[:SHOWN],
        "held": HeldName.objects.filter(state=HeldName.State.WAITING)[:SHOWN],
        "decided": HeldName.objects.exclude(state=HeldName.State.WAITING)[:20],
        "taken_down": Server.objects.exclude(taken_down_at=None).order_by("-taken_down_at")[:SHOWN],
    }
    return render(request, "registry/moderation.html", context, status=status)


def _decide(actor: Actor, action: str, given: dict[str, Any]) -> str:
    """Does it, and says what was done."""
    name = given.get("name", "")
    if "\0" in name:
        raise NotFound("server_unknown", gettext("There is no such name."))

    def close() -> str:
        number = given.get("report", "")
        report_id = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
        services.report_close(actor=actor, report_id=report_id, outcome=given.get("outcome", ""))
        return "The report is closed."

    def take_down() -> str:
        services.take_down(actor=actor, name=name, reason=given.get("reason", ""))
        return f"{name} is taken down."

    def restore() -> str:
        services.restore(actor=actor, name=name)
        return f"{name} is back."

    def decide(is_allowed: bool) -> str:
        services.name_decide(actor=actor, name=name, is_allowed=is_allowed, note=given.get("note", ""))
        return (
            gettext("%(name)s may be published.") % {"name": name}
            if is_allowed
            else gettext("%(name)s is refused.") % {"name": name}
        )

    actions: dict[str, Callable[[], str]] = {
        "close": close,
        "take_down": take_down,
        "restore": restore,
        "allow": lambda: decide(True),
        "refuse": lambda: decide(False),
    }
    if action not in actions:
        raise BadInput("action_unknown", gettext("This button is not known here. Load the page anew."))
    return actions[action]()


def _may(request: HttpRequest) -> bool:
    return request.user.is_authenticated and services.may_moderate(_actor(request))


def _actor(request: HttpRequest) -> Actor:
    assert isinstance(request.user, User)  # login_required
    return person(request.user.pk)
