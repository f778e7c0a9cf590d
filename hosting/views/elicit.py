"""The page that a call sent its user to: who asks, for what, a form, and what came of it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from common.errors import AppError
from hosting.configuration.given import declared_of
from hosting.credentials import connecting, eliciting
from hosting.credentials.checking import CheckFailed, personal_check
from hosting.credentials.eliciting import OverError
from hosting.credentials.overview import ServerCredentials, credentials_of
from hosting.forms.credentials import CredentialsForm
from hosting.models import Deployment, Elicitation
from hosting.views.own_account import allow_forms
from hosting.views.page import actor_of, user_of
from hosting.views.suspended import CONFIRM, FORGET, suspended_answered
from oauth.asking import described
from oauth.selectors import client_names


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def elicit(request: HttpRequest, elicitation_id: str) -> HttpResponse:
    """Another user's page is the same 404 as none. The POST stores, tries, and ends it when the server starts."""
    actor = actor_of(request)
    found = eliciting.elicitation_of(actor, elicitation_id)
    if request.method != "POST":
        return _show(request, found, status=410 if found.is_expired else 200)
    try:
        eliciting.check_open(found)
        if request.POST.get("action") == "cancel":
            eliciting.elicitation_cancel(actor=actor, elicitation=found)
            return redirect("elicit", found.pk)
        if request.POST.get("action") == "decline":
            eliciting.elicitation_decline(actor=actor, elicitation=found)
            connecting.accounts_decline(user_of(request).pk, found.deployment_id)
            return redirect("elicit", found.pk)
    except OverError:
        return _show(request, found, status=410)
    if request.POST.get("action") in (CONFIRM, FORGET):
        return _answer_suspended(request, found)
    return _answer(request, found)


def _answer_suspended(request: HttpRequest, found: Elicitation) -> HttpResponse:
    """Then it is tried, as if they had been typed; or the form asks for what is missing now."""
    actor = actor_of(request)
    try:
        suspended_answered(request, actor, found.deployment)
        if eliciting.missing_names(actor, found.deployment):
            return redirect("elicit", found.pk)
        return _tried(request, found)
    except AppError as error:
        return _show(request, found, problem=error.message, status=error.status)


def _answer(request: HttpRequest, found: Elicitation) -> HttpResponse:
    actor = actor_of(request)
    form = _form(found, credentials_of(actor, found.deployment), request.POST)
    is_valid = form.is_valid()
    try:
        # What is good is kept even where something else is not: nobody types a key twice.
        problems = eliciting.credentials_put(
            actor=actor, deployment=found.deployment, values=form.values(), expires_at=form.expires_at
        )
        form.add_problems(problems)
        if not is_valid or problems:
            return _show(request, found, form=form, status=400)
        if missing := eliciting.missing_names(actor, found.deployment):
            return _show(
                request,
                found,
                form=form,
                problem=gettext("Still needed: %(names)s.") % {"names": ", ".join(missing)},
                status=400,
            )
        return _tried(request, found)
    except AppError as error:
        return _show(request, found, problem=error.message, status=error.status)


def _tried(request: HttpRequest, found: Elicitation) -> HttpResponse:
    """The user's instance is started; where that works, the page is over. Raises AppError."""
    try:
        personal_check(found.deployment, user_of(request).pk)
        eliciting.elicitation_done(actor=actor_of(request), elicitation=found)
    except OverError:
        return _show(request, found, status=410)
    except CheckFailed as error:
        return _show(request, found, problem=error.message, quoted=error.quoted, status=error.status)
    return redirect("elicit", found.pk)


def _form(found: Elicitation, shown: ServerCredentials, typed: QueryDict | None = None) -> CredentialsForm:
    declared = declared_of(found.deployment.current_version)
    return CredentialsForm(typed, settings=shown.settings, declared=declared)


def _show(
    request: HttpRequest,
    found: Elicitation,
    *,
    form: CredentialsForm | None = None,
    problem: str = "",
    quoted: str = "",
    status: int = 200,
) -> HttpResponse:
    state = "expired" if found.is_expired else found.state
    shown = credentials_of(actor_of(request), found.deployment) if state == "open" else None
    form = (form or _form(found, shown)) if shown is not None else None
    deployment = found.deployment
    needs = connecting.needs_offered(found.user_id, deployment) if state == "open" else []
    context = {
        "elicitation": found,
        "deployment": deployment,
        "remote_url": _remote_url(deployment),
        "state": state,
        "is_own": found.client_id == eliciting.OWN_PAGE,
        "client_name": client_names([found.client_id]).get(found.client_id, found.client_id),
        "asking": described(found.client_id),
        "form": form,
        "needs": needs,
        "needed": [*_needed(form), *(need.label for need in needs if need.problem)],
        "suspended": shown.suspended if shown is not None else None,
        "problem": problem,
        "quoted": quoted,
    }
    return allow_forms(render(request, "hosting/elicit.html", context, status=status), needs)


def _needed(form: CredentialsForm | None) -> list[str]:
    return [row["field"].label for row in form.rows if row["field"].field.required] if form is not None else []


def _remote_url(deployment: Deployment) -> str:
    """Where what is typed is sent, of a server that runs elsewhere; "" of one that runs here."""
    version = deployment.current_version
    return str((version.remote or {}).get("url", "")) if version is not None else ""
