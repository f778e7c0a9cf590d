"""The page behind an invitation, and the people of the site for whoever may invite them."""

from __future__ import annotations

from uuid import UUID

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import people as site_people
from accounts.forms import NewAccountForm, SiteInvitationForm
from accounts.invitations import (
    invitation_accept,
    invitation_create,
    invitation_find,
    invitation_join,
    invitation_revoke,
    invitations_open,
)
from accounts.models import Invitation, User
from accounts.permissions import is_operator, may_invite
from accounts.selectors import user_get
from accounts.views.join import origin_only
from common.errors import AppError, Forbidden, NotFound
from common.http import add_error
from events.actors import person

PEOPLE_SHOWN = 500


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invited(request: HttpRequest, token: str) -> HttpResponse:
    """Looking uses nothing up: mail and chat programs look at links too."""
    try:
        found = invitation_find(token)
        if isinstance(request.user, User):
            answer = _accept(request, found, request.user, token)
        else:
            answer = _join(request, found, token)
    except NotFound as error:
        answer = render(request, "accounts/invited.html", {"problem": error.message}, status=error.status)
    return origin_only(answer)


def _accept(request: HttpRequest, found: Invitation, user: User, token: str) -> HttpResponse:
    if request.method == "POST":
        try:
            organization = invitation_accept(token=token, user=user)
        except NotFound:
            raise
        except AppError as error:
            return render(request, "accounts/invited.html", {"problem": error.message}, status=error.status)
        messages.success(request, gettext("You are in %(organization)s now.") % {"organization": organization})
        return redirect("accounts:organization", organization.name.display)
    return render(request, "accounts/invited.html", {"invitation": found})


def _join(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    form = NewAccountForm(request.POST if request.method == "POST" else None)
    if found.makes_account and form.is_valid():
        try:
            user = invitation_join(token=token, **form.cleaned_data)
        except NotFound:
            raise
        except AppError as error:
            add_error(form, error)
        else:
            response: HttpResponse = perform_login(request, user, email_verification="none")
            return response
    context = {"invitation": found, "form": form}
    return render(request, "accounts/invited.html", context, status=400 if form.is_bound else 200)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """For operators all accounts and invitations; for others who may invite, the invitations of their own."""
    assert isinstance(request.user, User)  # login_required
    actor = person(request.user.pk)
    if not may_invite(actor):
        raise Forbidden("may_not_invite", gettext("Publishers, moderators and operators of this site invite people."))
    sees_all = is_operator(actor)
    post = request.POST if request.method == "POST" else None
    action = post.get("action", "") if post is not None else ""
    form = SiteInvitationForm(post if action == "invite" else None, may_choose=sees_all)
    issued = ""
    if form.is_valid():
        try:
            issued = invitation_create(actor=actor, **form.cleaned_data)
        except AppError as error:
            add_error(form, error)
    elif post is not None and action != "invite":
        _act(request, action)
        return redirect("accounts:people")
    accounts = User.objects.select_related("service_of__name").order_by("username")
    if not sees_all:
        accounts = accounts.none()
    context = {
        "accounts": [(user, site_people.role_of(user)) for user in accounts[:PEOPLE_SHOWN]],
        "is_operator": sees_all,
        "roles": site_people.ROLES.items(),
        "invitations": invitations_open(actor=actor, organization=None),
        "form": SiteInvitationForm(may_choose=sees_all) if issued else form,
        "issued": issued,
    }
    return render(request, "accounts/people.html", context, status=400 if form.is_bound and not issued else 200)


def _act(request: HttpRequest, action: str) -> None:
    assert isinstance(request.user, User)
    actor, post = person(request.user.pk), request.POST
    try:
        if action == "revoke":
            invitation_revoke(actor=actor, invitation_id=_id(post.get("invitation", "")))
        elif action == "role":
            site_people.site_role_set(actor=actor, user=user_get(post.get("user", "")), role=post.get("role", ""))
        elif action in ("on", "off"):
            site_people.user_switch(actor=actor, user=user_get(post.get("user", "")), is_on=action == "on")
        messages.success(request, gettext("Saved."))
    except AppError as error:
        messages.error(request, error.message)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("invitation_unknown", gettext("There is no such open invitation.")) from None
