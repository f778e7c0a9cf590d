"""Pages of organizations: the list of one's own, who is in one, and what was done there."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import invitations, organizations
from accounts.audit import audit_of
from accounts.forms import InvitationForm, OrganizationForm
from accounts.models import User
from accounts.permissions import may_invite
from accounts.selectors import members_of, memberships_of, user_get
from accounts.views.page import OrganizationPage, organization_page
from common.errors import AppError, NotFound
from common.http import add_error
from events.actors import person

AUDIT_SHOWN = 100


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def organization_list(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # login_required
    actor = person(request.user.pk)
    form = OrganizationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = organizations.organization_found(actor=actor, founder=request.user, **form.cleaned_data)
        except AppError as error:
            add_error(form, error)
        else:
            return redirect("accounts:organization", made.name.display)
    context = {"memberships": memberships_of(request.user), "form": form, "may_found": may_invite(actor)}
    return render(request, "organizations/list.html", context, status=400 if form.is_bound else 200)


@organization_page(administered=False)
def people(page: OrganizationPage) -> HttpResponse:
    if page.action == "invite":
        return _invite(page)
    if page.action:
        _act(page)
        left = page.action == "leave" and not memberships_of(page.user).filter(organization=page.organization).exists()
        return redirect("accounts:organizations") if left else page.back("accounts:organization")
    return _show(page, InvitationForm(), "", 200)


def _show(page: OrganizationPage, form: InvitationForm, issued: str, status: int) -> HttpResponse:
    found = invitations.invitations_open(actor=page.actor, organization=page.organization)
    return page.show(
        "people",
        "people",
        status=status,
        members=members_of(page.organization),
        roles=organizations.Role.choices,
        form=form,
        issued=issued,
        invitations=found if page.is_administered else [],
    )


def _invite(page: OrganizationPage) -> HttpResponse:
    form = InvitationForm(page.request.POST)
    if form.is_valid():
        try:
            url = invitations.invitation_create(actor=page.actor, organization=page.organization, **form.cleaned_data)
        except AppError as error:
            add_error(form, error)
        else:
            return _show(page, InvitationForm(), url, 200)
    return _show(page, form, "", 400)


def _act(page: OrganizationPage) -> None:
    post = page.request.POST
    if page.action == "revoke":
        page.attempt(
            invitations.invitation_revoke, gettext("The link opens nothing any more."), invitation_id=_id(post)
        )
        return
    if page.action == "leave":
        page.attempt(organizations.member_remove, gettext("You have left."), user=page.user)
        return
    try:
        user = user_get(post.get("member", ""))
    except NotFound as error:
        messages.error(page.request, error.message)
        return
    if page.action == "role":
        page.attempt(organizations.role_set, gettext("Saved."), user=user, role=post.get("role", ""))
    elif page.action == "remove":
        page.attempt(
            organizations.member_remove,
            gettext("%(username)s is no member any more.") % {"username": user.username},
            user=user,
        )


def _id(post: QueryDict) -> UUID:
    try:
        return UUID(post.get("invitation", ""))
    except ValueError:
        raise NotFound("invitation_unknown", gettext("There is no such open invitation.")) from None


@organization_page()
def audit(page: OrganizationPage) -> HttpResponse:
    before = page.request.GET.get("before", "")
    rows, older = audit_of(page.organization, before=before, limit=AUDIT_SHOWN)
    return page.show("audit", "audit", rows=rows, older=older)
